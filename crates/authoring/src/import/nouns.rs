//! The last noun of a path's words → the same for one record: `users` → `user`, `custom_statuses` → `custom_status`.
//! A word that is no plural stays: `status`, `address`, `analysis`.

/// Plurals that no rule makes, with their singulars. Also as the end of a longer word: `subcategories`, `ipaddresses`.
const IRREGULAR: [(&str, &str); 33] = [
    ("people", "person"),
    ("children", "child"),
    ("women", "woman"),
    ("indices", "index"),
    ("matrices", "matrix"),
    ("vertices", "vertex"),
    ("appendices", "appendix"),
    ("criteria", "criterion"),
    ("phenomena", "phenomenon"),
    ("analyses", "analysis"),
    ("diagnoses", "diagnosis"),
    ("hypotheses", "hypothesis"),
    ("synopses", "synopsis"),
    ("statuses", "status"),
    ("viruses", "virus"),
    ("bonuses", "bonus"),
    ("campuses", "campus"),
    ("radiuses", "radius"),
    ("aliases", "alias"),
    ("canvases", "canvas"),
    ("caches", "cache"),
    ("niches", "niche"),
    ("cookies", "cookie"),
    ("movies", "movie"),
    ("quizzes", "quiz"),
    ("halves", "half"),
    ("shelves", "shelf"),
    ("knives", "knife"),
    ("heroes", "hero"),
    ("vetoes", "veto"),
    ("echoes", "echo"),
    ("menus", "menu"),
    ("wikis", "wiki"),
];

/// The same for whole words only: as the end of another word they would be something else.
const WHOLE: [(&str, &str); 12] = [
    ("men", "man"),
    ("mice", "mouse"),
    ("feet", "foot"),
    ("axes", "axis"),
    ("buses", "bus"),
    ("leaves", "leaf"),
    ("lives", "life"),
    ("lenses", "lens"),
    ("crises", "crisis"),
    ("gases", "gas"),
    ("ties", "tie"),
    ("pies", "pie"),
];

/// Words that end as a plural and are none, or that have no singular.
const SINGULAR: [&str; 43] = [
    "access",
    "alias",
    "always",
    "analytics",
    "atlas",
    "aws",
    "bias",
    "billing",
    "bus",
    "canvas",
    "chaos",
    "cors",
    "css",
    "dns",
    "gas",
    "gps",
    "headquarters",
    "https",
    "ios",
    "js",
    "kms",
    "kubernetes",
    "kudos",
    "lens",
    "macos",
    "means",
    "mms",
    "news",
    "os",
    "previous",
    "qos",
    "rss",
    "saas",
    "series",
    "sms",
    "species",
    "statistics",
    "stats",
    "sys",
    "tls",
    "tos",
    "whereabouts",
    "whois",
];

/// Plurals in `us` and `is`, which otherwise end a singular: `status`, `analysis`.
const SHORT_PLURALS: [&str; 12] =
    ["apis", "cpus", "emojis", "gpus", "kpis", "skus", "taxis", "tofus", "uis", "vcpus", "vpus", "ips"];

/// Returns the words with the last one in the singular; they are joined by `_`.
pub(super) fn singular(words: &str) -> String {
    // `roles_by_id`.
    if let Some((before, by)) = words.split_once("_by_") {
        return format!("{}_by_{by}", singular(before));
    }
    match words.rsplit_once('_') {
        Some((before, last)) => format!("{before}_{}", one(last)),
        None => one(words),
    }
}

/// Returns whether the last word is a plural.
pub(super) fn is_plural(words: &str) -> bool {
    singular(words) != words
}

fn one(word: &str) -> String {
    let whole = WHOLE.iter().find(|(plural, _)| *plural == word).map(|(_, singular)| (*singular).to_owned());
    let irregular =
        || IRREGULAR.iter().find_map(|(plural, singular)| Some(format!("{}{singular}", word.strip_suffix(plural)?)));
    whole.or_else(irregular).unwrap_or_else(|| regular(word))
}

fn regular(word: &str) -> String {
    const SHORTEST: usize = 3;
    let short_plural = SHORT_PLURALS.contains(&word);
    let is_singular = word.len() < SHORTEST
        || SINGULAR.contains(&word)
        || !word.ends_with('s')
        || word.ends_with("ss")
        || ((word.ends_with("us") || word.ends_with("is")) && !short_plural);
    if is_singular {
        return word.to_owned();
    }
    let without = |ending: &str, with: &str| word.strip_suffix(ending).map(|stem| format!("{stem}{with}"));
    // `policies`, but not `dies`.
    let y = without("ies", "y").filter(|_| word.len() > 4);
    let es =
        ["sses", "shes", "ches", "xes", "zzes"].iter().find_map(|ending| without(ending, &ending[..ending.len() - 2]));
    y.or(es).or_else(|| without("s", "")).unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_have_a_singular() {
        for (plural, one) in [
            ("users", "user"),
            ("custom_fields", "custom_field"),
            ("usergroups", "usergroup"),
            ("policies", "policy"),
            ("addresses", "address"),
            ("ip_addresses", "ip_address"),
            ("statuses", "status"),
            ("analyses", "analysis"),
            ("processes", "process"),
            ("boxes", "box"),
            ("prefixes", "prefix"),
            ("batches", "batch"),
            ("caches", "cache"),
            ("searches", "search"),
            ("databases", "database"),
            ("licenses", "license"),
            ("responses", "response"),
            ("sizes", "size"),
            ("people", "person"),
            ("children", "child"),
            ("indices", "index"),
            ("archives", "archive"),
            ("leaves", "leaf"),
            ("photos", "photo"),
            ("schemas", "schema"),
            ("quotas", "quota"),
            ("apis", "api"),
            ("ips", "ip"),
            ("ids", "id"),
            ("types", "type"),
            ("keys", "key"),
            ("cookies", "cookie"),
            ("maintenance_windows", "maintenance_window"),
            ("roles_by_id", "role_by_id"),
        ] {
            assert_eq!(singular(plural), one, "{plural}");
            assert!(is_plural(plural), "{plural}");
        }
    }

    #[test]
    fn what_is_no_plural_stays() {
        for word in [
            "status",
            "address",
            "analysis",
            "access",
            "process",
            "class",
            "business",
            "basis",
            "series",
            "news",
            "dns",
            "canvas",
            "alias",
            "bus",
            "data",
            "metadata",
            "media",
            "user",
            "business_status",
            "chassis",
            "previous",
            "us",
            "os",
            "statistics",
            "progress",
            "",
            "s",
            "radius",
        ] {
            assert_eq!(singular(word), word, "{word}");
        }
    }
}
