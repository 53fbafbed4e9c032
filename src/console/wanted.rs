//! The page that a person asked for before signing in → where the person goes afterwards. Only the page of an approval is kept,
//! which the result of a tool names: so no address of somebody else's is ever followed.

use url::form_urlencoded;

/// The longest id of an approval, in characters.
const LONGEST: usize = 32;
/// The parameter that has it.
const PARAMETER: &str = "to";

/// The id of an approval whose page was asked for, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted(Option<String>);

impl Wanted {
    /// By the id.
    pub(super) fn of_id(id: &str) -> Self {
        let is_id = (1..=LONGEST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Self(is_id.then(|| id.to_owned()))
    }

    /// By the path of the page.
    pub(super) fn of_path(path: &str) -> Self {
        path.strip_prefix("/approvals/").map(Self::of_id).unwrap_or_default()
    }

    /// As an address has it that [`Self::after`] has made.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        pairs.find(|(name, _)| name == PARAMETER).map(|(_, id)| Self::of_id(&id)).unwrap_or_default()
    }

    /// The id; empty where there is none.
    pub(super) fn id(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Where the person goes.
    pub(super) fn path(&self) -> String {
        self.0.as_ref().map_or_else(|| "/tools".to_owned(), |id| format!("/approvals/{id}"))
    }

    /// The address of a page on the way, which hands it on.
    pub(super) fn after(&self, way: &str) -> String {
        self.0.as_ref().map_or_else(|| way.to_owned(), |id| format!("{way}?{PARAMETER}={id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        let wanted = Wanted::of_path("/approvals/k3Jx09QmTa");
        assert_eq!((wanted.path().as_str(), wanted.id()), ("/approvals/k3Jx09QmTa", "k3Jx09QmTa"));
        assert_eq!(wanted.after("/login"), "/login?to=k3Jx09QmTa");
        assert_eq!(Wanted::of_query(Some("x=1&to=k3Jx09QmTa")), wanted);
        for query in ["to=//evil.example", "to=https://evil.example", "to=..%2Flogout", "to=", "to=a%0d%0ab", "", "t=x"]
        {
            assert_eq!(Wanted::of_query(Some(query)).path(), "/tools", "{query}");
        }
        assert_eq!(Wanted::of_path("/links/x").after("/login"), "/login");
    }
}
