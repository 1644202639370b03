//! What travels with a call. Not here: how long a dialect lets a value be on its wire.

use std::collections::BTreeMap;

use bytes::Bytes;

/// How many call variables there are.
pub const CALL_VARIABLES: usize = 10;

/// The data of a call, as its script, its ACD and its agents set it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CallData {
    /// CallVariable1 to CallVariable10; none: never set.
    pub variables: [Option<String>; CALL_VARIABLES],
    /// Expanded call context variables by name.
    pub named: BTreeMap<String, String>,
    /// Elements of expanded call context arrays by name and index.
    pub arrays: BTreeMap<(String, u8), String>,
    /// User-to-user information of the network.
    pub user_to_user: Option<Bytes>,
    /// What an agent wrote of the call in its after-call work.
    pub wrap_up: Option<String>,
}

/// A change of a call's data: what is given replaces what is there, what is not given stays.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CallDataChange(pub CallData);

impl CallData {
    /// The data after a change.
    pub fn changed_by(&self, change: &CallDataChange) -> CallData {
        let CallDataChange(new) = change;
        let mut data = self.clone();
        for (variable, new) in data.variables.iter_mut().zip(&new.variables) {
            if new.is_some() {
                variable.clone_from(new);
            }
        }
        data.named.extend(new.named.clone());
        data.arrays.extend(new.arrays.clone());
        if new.user_to_user.is_some() {
            data.user_to_user.clone_from(&new.user_to_user);
        }
        if new.wrap_up.is_some() {
            data.wrap_up.clone_from(&new.wrap_up);
        }
        data
    }
}
