//! A word of a path or operationId → what it says that a call does. The tables are judgement; each use of them is a
//! draft that a person reviews.

use toolwright_model::{Risk, Verb, snake_case};

/// Words at the start of a path segment that name a change, also where the method says otherwise.
const ACTIONS: &str = "accept activate add approve archive assign ban cancel clear close complete confirm create \
    deactivate decline delete deny disable dismiss enable erase escalate execute expire finish forward generate grant \
    import install invite invoke lock logout mark merge move notify pause promote publish purge reactivate reassign \
    reboot refresh reject remind remove rename renew reopen replace resend reset resolve restart restore resume retry \
    revoke rotate run save send set shutdown start stop submit subscribe suspend sync transfer trigger unarchive \
    unassign unban unblock undelete undo unlock unsubscribe update upload wipe";

/// The same where the method is one of change already: most of these are nouns elsewhere.
const DEEDS: &str = "acknowledge apply attach authorize block clone configure connect convert copy decrypt demote deploy \
    detach disconnect duplicate encrypt evaluate evict follow fulfill join leave link login migrate pin ping provision \
    reauthorize rebuild redact regenerate register reindex reload reorder reprocess rerun revert rollback scale share \
    sign snooze split star swap switch terminate test toggle trust undeploy unfollow uninstall unlink unpin unpublish \
    unshare unsnooze unstar unwatch upgrade verify vote watch withdraw";

/// Words in a path's last segment that name a read.
const QUESTIONS: &str = "check count export filter find list lookup match parse preview query search suggest validate";

/// Those of them with which a GET ends, after the noun that they are about.
const ASKED_OF: &str = "autocomplete check count export find lookup preview search validate";

/// Words that begin an operationId, by what they say.
const BEGINNINGS: [(Verb, &str); 6] = [
    (Verb::List, "list"),
    (Verb::Search, "search find query lookup autocomplete"),
    (Verb::Get, "get retrieve read fetch show describe view count check validate preview export download discover"),
    (Verb::Create, "create add insert new"),
    (Verb::Update, "update edit modify set replace change upsert"),
    (Verb::Delete, "delete remove destroy erase purge"),
];

/// Words before the one that says what an operation does.
const QUALIFIERS: &str = "admin bulk";

/// Words by which a call can have a further consequence.
const RISKS: [(Risk, &str); 6] = [
    (Risk::Notifies, "email invite mail message notify remind resend send"),
    (Risk::Disruptive, "ban deactivate disable lock logout reboot restart shutdown suspend terminate"),
    (Risk::Irreversible, "erase purge wipe"),
    (Risk::RunsCode, "command execute run script"),
    (Risk::WeakensSecurity, "grant impersonate password role permission mfa"),
    (Risk::RevealsSecret, "credential key password secret token"),
];

pub(super) fn is_in(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|other| other == word)
}

pub(super) fn is_action(word: &str) -> bool {
    is_in(ACTIONS, word)
}

/// Whether the word says a change where the method is one of change.
pub(super) fn is_deed(word: &str) -> bool {
    is_action(word) || is_in(DEEDS, word)
}

pub(super) fn is_question(word: &str) -> bool {
    is_in(QUESTIONS, word)
}

pub(super) fn is_asked_of(word: &str) -> bool {
    is_in(ASKED_OF, word)
}

/// Whether the words leave nothing of what is destroyed.
pub(super) fn destroys(word: &str) -> bool {
    is_in("delete remove destroy erase purge wipe revoke terminate", word)
}

/// The kind of call that a question in a path is.
pub(super) fn verb_of_question(word: &str) -> Verb {
    match word {
        "list" => Verb::List,
        "check" | "count" | "export" | "parse" | "preview" | "validate" => Verb::Get,
        _ => Verb::Search,
    }
}

/// The kind of call that a word at the beginning of an operationId says.
fn verb_of(word: &str) -> Option<Verb> {
    let stated = BEGINNINGS.iter().find(|(_, words)| is_in(words, word)).map(|(verb, _)| *verb);
    stated.or_else(|| is_deed(word).then_some(Verb::Action))
}

/// What the beginning of an operationId says, and its words from there on; `None` where it says nothing more than the
/// method does: `postUsers`, `users_create`, and an id that was made of method and path.
pub(super) fn spoken(method: &str, path: &str, id: &str) -> Option<(Verb, Vec<String>)> {
    // `OAuth` is one word.
    let words = snake_case(&id.replace("OAuth", "Oauth").replace("oAuth", "oauth"));
    if words == snake_case(&format!("{} {path}", method.to_lowercase())) {
        return None;
    }
    let mut words: Vec<String> = words.split('_').map(str::to_owned).collect();
    if words.len() > 1 && is_in(QUALIFIERS, &words[0]) && verb_of(&words[1]).is_some() {
        words.swap(0, 1);
    }
    let verb = verb_of(words.first()?)?;
    Some((verb, words)).filter(|(_, words)| words.len() > 1)
}

/// What the end of an operationId says of a read: `users_list`, `User_Get`.
pub(super) fn said_at_end(id: &str) -> Option<Verb> {
    match snake_case(id).rsplit('_').next()? {
        "list" => Some(Verb::List),
        "get" | "retrieve" | "read" => Some(Verb::Get),
        _ => None,
    }
}

/// The risk that a word hints at, of a call that changes something or of one that reads.
pub(super) fn risk_of(word: &str, reads: bool) -> Option<Risk> {
    let is_possible = |risk: &Risk| match risk {
        Risk::RevealsSecret => reads,
        _ => !reads,
    };
    RISKS.iter().find(|(risk, words)| is_possible(risk) && is_in(words, word)).map(|(risk, _)| *risk)
}
