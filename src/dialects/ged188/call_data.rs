//! Call data in requests. Not here: call data in events (`calls`).

use cti_protocol::ged188::codes::Status;
use cti_protocol::ged188::{NamedArray, NamedVariable, Text};

use super::answers::No;
use super::identity::given;
use crate::model::{CALL_VARIABLES, CallData, CallDataChange};

/// All expanded call context of one message, in bytes.
const ECC_BYTES_MAX: usize = 2000;

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
    let mut data = CallData { user_to_user: fields.user_to_user.clone(), ..CallData::default() };
    for (at, (variable, field)) in data.variables.iter_mut().zip(fields.variables).enumerate() {
        *variable = variable_of(VARIABLE_NAMES[at], field)?;
    }
    data.wrap_up = variable_of("CallWrapupData", fields.wrap_up)?;
    for variable in named {
        let name = named_as(&variable.name())?;
        if arrays.iter().any(|element| element.name() == name) {
            let why = format!("{name} is set as a NamedVariable and as a NamedArray");
            return Err(No::failure(Status::E_CTI_SCALAR_FUNCTION_ON_ARRAY, why));
        }
        data.named.insert(name, variable.value().into_owned());
    }
    for element in arrays {
        data.arrays.insert((named_as(&element.name())?, element.index()), element.value().into_owned());
    }
    let scalars: usize = data.named.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let elements: usize = data.arrays.iter().map(|((name, _), value)| name.len() + value.len() + 3).sum();
    if scalars + elements > ECC_BYTES_MAX {
        let why =
            format!("NamedVariable and NamedArray have {} bytes, {ECC_BYTES_MAX} are allowed", scalars + elements);
        return Err(No::failure(Status::E_CTI_TOO_MUCH_DATA, why));
    }
    Ok(CallDataChange(data))
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

fn named_as(name: &str) -> Result<String, No> {
    if name.is_empty() {
        return Err(No::failure(Status::E_CTI_REQUIRED_DATA_MISSING, "a NamedVariable or NamedArray has no name"));
    }
    Ok(name.to_owned())
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
