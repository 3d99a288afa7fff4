//! Types that are a callee's own: wherever a pointer to one was passed, it led to the
//! callee's memory, as those to a database or a statement do.

use std::collections::BTreeSet;

use super::Known;
use super::evidence::Evidence;
use super::types::{self, Data};

/// Whose, and the type's name.
pub type Owned = BTreeSet<(String, String)>;

pub fn find(evidence: &Evidence, known: &Known<'_>) -> Owned {
    let (mut own, mut others) = (Owned::new(), Owned::new());
    for ((cubicle, name), signature) in known.signatures {
        let Some(calls) = evidence.functions.get(&(cubicle.clone(), name.clone())) else {
            continue;
        };
        for path in types::arguments(signature) {
            let type_ = types::at(signature, &path);
            let data = type_.and_then(|type_| Data::of(signature, type_));
            let named = data
                .as_ref()
                .filter(|data| data.is_struct() || data.is_opaque());
            let Some(type_name) = named.and_then(Data::name) else {
                continue;
            };
            let key = (cubicle.clone(), type_name.to_owned());
            let values = calls.samples.iter();
            let values = values.filter_map(|sample| sample.values.get(&path));
            for value in values.filter(|value| value.before.0 != 0) {
                let is_own = value.owner.as_ref() == Some(cubicle);
                let list = if is_own { &mut own } else { &mut others };
                list.insert(key.clone());
            }
        }
    }
    own.difference(&others).cloned().collect()
}
