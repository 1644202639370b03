//! Call data in requests. Not here: call data in events (`calls`), and how much of it there may be (`model`).

use std::borrow::Cow;

use cti_protocol::ged188::codes::Status;
use cti_protocol::ged188::{NamedArray, NamedVariable, Text};

use super::answers::No;
use super::identity::given;
use crate::model::{CALL_VARIABLES, CallDataChange, CallDataError, CallDataValues};

/// The fields that carry call data in every request that has any.
pub(super) struct Fields<'a> {
    pub(super) variables: [Option<&'a Text<41>>; CALL_VARIABLES],
    pub(super) wrap_up: Option<&'a Text<40>>,
    pub(super) user_to_user: Option<bytes::Bytes>,
    pub(super) named: (u16, &'a [NamedVariable]),
    pub(super) arrays: (u16, &'a [NamedArray]),
}

/// The change that a request's fields are, or what is wrong with them.
pub(super) fn change_of(fields: &Fields<'_>) -> Result<CallDataChange, No> {
    let (claimed, named) = fields.named;
    must_count("NumNamedVariables", claimed, named.len(), Status::E_CTI_INVALID_NUM_NAMED_VARIABLES)?;
    let (claimed, arrays) = fields.arrays;
    must_count("NumNamedArrays", claimed, arrays.len(), Status::E_CTI_INVALID_NUM_NAMED_ARRAYS)?;
    let mut data = CallDataValues { user_to_user: fields.user_to_user.clone(), ..CallDataValues::default() };
    for (at, (variable, field)) in data.variables.iter_mut().zip(fields.variables).enumerate() {
        *variable = variable_of(VARIABLE_NAMES[at], field)?;
    }
    data.wrap_up = variable_of("CallWrapupData", fields.wrap_up)?;
    for variable in named {
        data.named.insert(valid("NamedVariable", variable.name())?, valid("NamedVariable", variable.value())?);
    }
    for element in arrays {
        let name = valid("NamedArray", element.name())?;
        data.arrays.insert((name, element.index()), valid("NamedArray", element.value())?);
    }
    Ok(CallDataChange::new(data)?)
}

impl From<CallDataError> for No {
    fn from(error: CallDataError) -> No {
        let status = match error {
            CallDataError::TooLong { .. } => Status::E_CTI_VALUE_TOO_LONG,
            CallDataError::HoldsNul { .. } => Status::E_CTI_INVALID_CHARACTER,
            CallDataError::NoName => Status::E_CTI_REQUIRED_DATA_MISSING,
            CallDataError::ScalarOnArray { .. } => Status::E_CTI_SCALAR_FUNCTION_ON_ARRAY,
            CallDataError::ArrayOnScalar { .. } => Status::E_CTI_ARRAY_FUNCTION_ON_SCALAR,
            CallDataError::TooMuch { .. } => Status::E_CTI_TOO_MUCH_DATA,
        };
        No::failure(status, error.to_string())
    }
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

/// An empty variable is one that is set to nothing.
fn variable_of<const MAX: usize>(name: &'static str, field: Option<&Text<MAX>>) -> Result<Option<String>, No> {
    match field {
        Some(field) if field.is_empty() => Ok(Some(String::new())),
        field => given(name, field),
    }
}

/// What was read as text without a loss.
fn valid(field: &str, text: Cow<'_, str>) -> Result<String, No> {
    match text {
        Cow::Borrowed(text) => Ok(text.to_owned()),
        Cow::Owned(text) => {
            Err(No::failure(Status::E_CTI_INVALID_CHARACTER, format!("{field} is not valid text: {text:?}")))
        }
    }
}

fn must_count(name: &str, claimed: u16, there: usize, status: Status) -> Result<(), No> {
    if usize::from(claimed) == there {
        return Ok(());
    }
    Err(No::failure(status, format!("{name} is {claimed}, {there} are there")))
}

/// The change that a request's call data fields are.
macro_rules! data_of {
    ($request:ident) => {
        change_of(&super::call_data::Fields {
            variables: [
                $request.call_variable1.as_ref(),
                $request.call_variable2.as_ref(),
                $request.call_variable3.as_ref(),
                $request.call_variable4.as_ref(),
                $request.call_variable5.as_ref(),
                $request.call_variable6.as_ref(),
                $request.call_variable7.as_ref(),
                $request.call_variable8.as_ref(),
                $request.call_variable9.as_ref(),
                $request.call_variable10.as_ref(),
            ],
            wrap_up: $request.call_wrapup_data.as_ref(),
            user_to_user: $request
                .user_to_user_info
                .as_ref()
                .map(|info| bytes::Bytes::copy_from_slice(info.as_bytes())),
            named: ($request.num_named_variables, &$request.named_variables),
            arrays: ($request.num_named_arrays, &$request.named_arrays),
        })?
    };
}
pub(super) use data_of;
