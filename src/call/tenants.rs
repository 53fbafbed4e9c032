//! The setting that names a tenant, with the values that an operator allows → the argument by which a tool that reads is called
//! for several of them, and what they are called.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::access::Principal;
use crate::catalog::CatalogEntry;
use toolwright_model::{Effect, ReachedTenants, Setting};

/// The word for all tenants that may be chosen.
pub(super) const EVERY_TENANT: &str = "all";
/// What is between a tenant and a cursor in a cursor of one of several answers. No other cursor has it.
pub(super) const OF_TENANT: char = '~';
/// For how long their names are kept.
const MAX_AGE: Duration = Duration::from_mins(5);
/// The names of how many callers are kept.
const MOST_CALLERS: usize = 128;

/// The tenants of a vendor's account, of which a caller may name several.
#[derive(Debug, Clone)]
pub(super) struct TenantChoice {
    /// The setting that is sent for each.
    pub(super) setting: Setting,
    /// Their ids, in the operator's order.
    pub(super) allowed: Vec<String>,
}

/// By the vendor's id.
pub(super) type TenantChoices = Arc<BTreeMap<String, TenantChoice>>;

impl TenantChoice {
    /// The argument that names them.
    pub(super) fn argument(&self) -> &str {
        self.setting.several.as_deref().unwrap_or_default()
    }

    /// Whether the tool takes the argument: it only reads, of this vendor alone, and there are several tenants.
    pub(super) fn is_offered(&self, entry: &CatalogEntry) -> bool {
        entry.tool.effect == Some(Effect::Read) && self.allowed.len() > 1 && self.is_about(entry)
    }

    /// Whether all that the tool calls is sent with the setting, and no argument of the vendor's has the name.
    pub(super) fn is_about(&self, entry: &CatalogEntry) -> bool {
        let schema = entry.tool.parsed_input_schema();
        let is_taken = schema.get("properties").is_some_and(|properties| properties.get(self.argument()).is_some());
        !is_taken && entry.vendors().all(|vendor| vendor == entry.vendor)
    }

    /// Adds the argument to a tool's schema.
    pub(super) fn offer(&self, schema: &mut Map<String, Value>) {
        let argument = self.argument();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            let description = format!("Answer for several {argument}: names or ids, or [\"{EVERY_TENANT}\"]");
            let list = json!({"type": "array", "items": {"type": "string"}, "description": description});
            properties.insert(argument.to_owned(), list);
        }
    }
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id, which is sent.
    pub id: String,
    /// What the vendor calls it; the id where that is not known.
    pub name: String,
}

impl Tenant {
    /// Makes the cursor of its answer one that leads back to it.
    pub(crate) fn cursor(&self, cursor: &str) -> String {
        format!("{}{OF_TENANT}{cursor}", self.id)
    }
}

/// What tenants are called, by account and caller.
#[derive(Debug, Default)]
pub(super) struct TenantNames(Mutex<HashMap<(String, Principal), ReadNames>>);

/// When they were read, and the names.
type ReadNames = (SystemTime, Arc<Vec<Tenant>>);

impl TenantNames {
    pub(super) fn get(&self, key: &(String, Principal), now: SystemTime) -> Option<Arc<Vec<Tenant>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, tenants) = kept.get(key)?;
        now.duration_since(*read_at).is_ok_and(|age| age < MAX_AGE).then(|| Arc::clone(tenants))
    }

    pub(super) fn insert(&self, key: (String, Principal), now: SystemTime, tenants: Arc<Vec<Tenant>>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_CALLERS {
            // They are read again as they are needed.
            kept.clear();
        }
        kept.insert(key, (now, tenants));
    }
}

/// Reads the tenants of an answer.
pub(crate) fn tenants_in(answer: &Value, reached: &ReachedTenants) -> Vec<Tenant> {
    let records = answer.pointer(&reached.records).and_then(Value::as_array);
    let text = |record: &Value, pointer: &str| Some(record.pointer(pointer)?.as_str()?.trim().to_owned());
    let read = |record: &Value| {
        let id = text(record, &reached.id).filter(|id| !id.is_empty())?;
        let name = text(record, &reached.name).filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
        Some(Tenant { id, name })
    };
    records.into_iter().flatten().filter_map(read).collect()
}
