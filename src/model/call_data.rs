//! What travels with a call, and how much of it can.
//!
//! Not here: the fields of a dialect that it goes into. Must hold: each value and all of them together are such that every
//! dialect can tell them, whoever set them, so that no event of a call outgrows its message.

use std::collections::BTreeMap;
use std::ops::Deref;

use bytes::Bytes;

/// How many call variables there are.
pub const CALL_VARIABLES: usize = 10;

/// The data of a call, as its script, its ACD and its agents set it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CallData(CallDataValues);

/// A change of a call's data: what is given replaces what is there, what is not given stays.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CallDataChange(CallDataValues);

/// What may travel with a call. An empty text is a value that was set to nothing; none: never set.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CallDataValues {
    /// CallVariable1 to CallVariable10.
    pub variables: [Option<String>; CALL_VARIABLES],
    /// Expanded call context variables by name.
    pub named: BTreeMap<String, String>,
    /// Elements of expanded call context arrays by name and index.
    pub arrays: BTreeMap<(String, u8), String>,
    /// User-to-user information of the network.
    pub user_to_user: Option<Bytes>,
    /// What an agent wrote of the call in its after-call work.
    pub wrap_up: Option<String>,
    /// The caller's number, where a client knows better than the ACD.
    pub ani: Option<String>,
    /// What the caller entered when asked.
    pub caller_entered_digits: Option<String>,
    /// The number that the customer is known by.
    pub customer_phone_number: Option<String>,
    /// The customer's account.
    pub customer_account_number: Option<String>,
    /// The campaign that the call belongs to.
    pub campaign: Option<u32>,
    /// The rule of that campaign which chose the customer.
    pub query_rule: Option<u32>,
}

/// What cannot be the data of a call.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallDataError {
    /// One value is too long.
    #[error("{field} has {bytes} bytes, {bytes_max} are allowed")]
    TooLong {
        /// Which.
        field: String,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// A text that would end at its NUL.
    #[error("{field} holds a NUL")]
    HoldsNul {
        /// Which.
        field: String,
    },
    /// A named variable or array without a name.
    #[error("a named variable or array has no name")]
    NoName,
    /// The name is that of an array.
    #[error("{name} is an array and is set as a single variable")]
    ScalarOnArray {
        /// The name.
        name: String,
    },
    /// The name is that of a single variable.
    #[error("{name} is a single variable and is set as an array")]
    ArrayOnScalar {
        /// The name.
        name: String,
    },
    /// The named variables and arrays of the call are too many or too long in all.
    #[error("named variables and arrays would have {bytes} bytes in all, {bytes_max} are allowed for a call")]
    TooMuch {
        /// How many.
        bytes: usize,
        /// How many there may be.
        bytes_max: usize,
    },
}

impl CallData {
    /// The data after a change.
    ///
    /// # Errors
    /// When the call would have too much of it then, or a name would be both a single variable's and an array's.
    pub fn changed_by(&self, change: &CallDataChange) -> Result<CallData, CallDataError> {
        let CallDataChange(new) = change;
        if let Some(name) = new.named.keys().find(|name| self.has_array(name)) {
            return Err(CallDataError::ScalarOnArray { name: name.clone() });
        }
        if let Some((name, _)) = new.arrays.keys().find(|(name, _)| self.named.contains_key(name)) {
            return Err(CallDataError::ArrayOnScalar { name: name.clone() });
        }
        let mut values = new.clone();
        values.take_singles(self);
        for (name, value) in &self.named {
            values.named.entry(name.clone()).or_insert_with(|| value.clone());
        }
        for (element, value) in &self.arrays {
            values.arrays.entry(element.clone()).or_insert_with(|| value.clone());
        }
        values.must_be_valid()?;
        Ok(CallData(values))
    }

    /// The data, with what only `other` has: as much of that, in the order of its names, as there is room for.
    pub fn filled_from(&self, other: &CallDataChange) -> CallData {
        let mut values = self.0.clone();
        values.take_singles(other);
        let mut room = NAMED_BYTES_MAX.saturating_sub(values.named_bytes());
        let mut has_room = |bytes: usize| room.checked_sub(bytes).map(|left| room = left).is_some();
        for (name, value) in &other.named {
            let is_new = !values.named.contains_key(name) && !values.has_array(name);
            if is_new && has_room(scalar_bytes(name, value)) {
                values.named.insert(name.clone(), value.clone());
            }
        }
        for ((name, index), value) in &other.arrays {
            let element = (name.clone(), *index);
            let is_new = !values.arrays.contains_key(&element) && !values.named.contains_key(name);
            if is_new && has_room(element_bytes(name, value)) {
                values.arrays.insert(element, value.clone());
            }
        }
        CallData(values)
    }

    /// All of it, as what another call may be given.
    pub fn as_change(&self) -> CallDataChange {
        CallDataChange(self.0.clone())
    }
}

impl CallDataChange {
    /// These values, for any call that has room for them.
    ///
    /// # Errors
    /// When there is no such call.
    pub fn new(values: CallDataValues) -> Result<CallDataChange, CallDataError> {
        if let Some(name) = values.named.keys().find(|name| values.has_array(name)) {
            return Err(CallDataError::ScalarOnArray { name: name.clone() });
        }
        values.must_be_valid()?;
        Ok(CallDataChange(values))
    }

    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.0 == CallDataValues::default()
    }
}

impl Deref for CallData {
    type Target = CallDataValues;

    fn deref(&self) -> &CallDataValues {
        &self.0
    }
}

impl Deref for CallDataChange {
    type Target = CallDataValues;

    fn deref(&self) -> &CallDataValues {
        &self.0
    }
}

impl CallDataValues {
    /// Takes what it has not set, but for named variables and arrays, from another.
    fn take_singles(&mut self, other: &CallDataValues) {
        for (to, from) in self.variables.iter_mut().zip(&other.variables) {
            take(to, from);
        }
        take(&mut self.user_to_user, &other.user_to_user);
        take(&mut self.wrap_up, &other.wrap_up);
        take(&mut self.ani, &other.ani);
        take(&mut self.caller_entered_digits, &other.caller_entered_digits);
        take(&mut self.customer_phone_number, &other.customer_phone_number);
        take(&mut self.customer_account_number, &other.customer_account_number);
        take(&mut self.campaign, &other.campaign);
        take(&mut self.query_rule, &other.query_rule);
    }

    /// The single texts, each with its name and bound.
    fn texts(&self) -> impl Iterator<Item = (&'static str, usize, Option<&String>)> {
        let variables = VARIABLE_NAMES.iter().zip(&self.variables);
        let variables = variables.map(|(name, value)| (*name, VARIABLE_BYTES_MAX, value.as_ref()));
        variables.chain([
            ("CallWrapupData", WRAP_UP_BYTES_MAX, self.wrap_up.as_ref()),
            ("ANI", NUMBER_BYTES_MAX, self.ani.as_ref()),
            ("CallerEnteredDigits", NUMBER_BYTES_MAX, self.caller_entered_digits.as_ref()),
            ("CustomerPhoneNumber", PHONE_NUMBER_BYTES_MAX, self.customer_phone_number.as_ref()),
            ("CustomerAccountNumber", ACCOUNT_NUMBER_BYTES_MAX, self.customer_account_number.as_ref()),
        ])
    }

    fn must_be_valid(&self) -> Result<(), CallDataError> {
        for (field, bytes_max, value) in self.texts() {
            value.map_or(Ok(()), |value| must_fit(field, value, bytes_max))?;
        }
        if let Some(info) = self.user_to_user.as_ref().filter(|info| info.len() > USER_TO_USER_BYTES_MAX) {
            let (field, bytes) = ("UserToUserInfo".to_owned(), info.len());
            return Err(CallDataError::TooLong { field, bytes, bytes_max: USER_TO_USER_BYTES_MAX });
        }
        let elements = self.arrays.iter().map(|((name, _), value)| (name, value));
        for (name, value) in self.named.iter().chain(elements) {
            if name.is_empty() {
                return Err(CallDataError::NoName);
            }
            must_fit("the name of a variable", name, NAME_BYTES_MAX)?;
            must_fit(name, value, VALUE_BYTES_MAX)?;
        }
        match self.named_bytes() {
            bytes if bytes > NAMED_BYTES_MAX => Err(CallDataError::TooMuch { bytes, bytes_max: NAMED_BYTES_MAX }),
            _ => Ok(()),
        }
    }

    /// The bytes of named variables and arrays as GED-188 counts them.
    fn named_bytes(&self) -> usize {
        let scalars = self.named.iter().map(|(name, value)| scalar_bytes(name, value));
        let elements = self.arrays.iter().map(|((name, _), value)| element_bytes(name, value));
        scalars.chain(elements).sum()
    }

    fn has_array(&self, name: &str) -> bool {
        let first = self.arrays.range((name.to_owned(), 0)..).next();
        first.is_some_and(|((there, _), _)| there == name)
    }
}

fn take<T: Clone>(to: &mut Option<T>, from: &Option<T>) {
    if to.is_none() {
        to.clone_from(from);
    }
}

fn must_fit(field: &str, value: &str, bytes_max: usize) -> Result<(), CallDataError> {
    let (field, bytes) = (field.to_owned(), value.len());
    if bytes > bytes_max {
        return Err(CallDataError::TooLong { field, bytes, bytes_max });
    }
    if value.contains('\0') { Err(CallDataError::HoldsNul { field }) } else { Ok(()) }
}

/// A name and a value, each with a NUL.
fn scalar_bytes(name: &str, value: &str) -> usize {
    name.len() + value.len() + 2
}

/// The same and the index.
fn element_bytes(name: &str, value: &str) -> usize {
    scalar_bytes(name, value) + 1
}

const VARIABLE_NAMES: [&str; CALL_VARIABLES] = [
    "CallVariable1",
    "CallVariable2",
    "CallVariable3",
    "CallVariable4",
    "CallVariable5",
    "CallVariable6",
    "CallVariable7",
    "CallVariable8",
    "CallVariable9",
    "CallVariable10",
];

// In bytes, without the NUL that ends a text on the wire of GED-188, whose tables these are.
const VARIABLE_BYTES_MAX: usize = 40;
const WRAP_UP_BYTES_MAX: usize = 39;
const NUMBER_BYTES_MAX: usize = 39;
const PHONE_NUMBER_BYTES_MAX: usize = 19;
const ACCOUNT_NUMBER_BYTES_MAX: usize = 31;
const USER_TO_USER_BYTES_MAX: usize = 131;
const NAME_BYTES_MAX: usize = 32;
const VALUE_BYTES_MAX: usize = 210;
/// Of all named variables and arrays of a call: every update of it carries them all.
const NAMED_BYTES_MAX: usize = 2000;
