//! Call data in requests. Not here: call data in events (`calls`), and how much of it there may be (`model`).

use std::borrow::Cow;

use cti_protocol::ged188::codes::{CallType, Disposition, Status};
use cti_protocol::ged188::{NamedArray, NamedVariable, SetCallDataReq, Text};

use super::answers::No;
use super::calls::call_type;
use super::identity::given;
use crate::model::{CALL_VARIABLES, Call, CallDataChange, CallDataError, CallDataValues};

/// The fields that carry call data in every request that has any.
pub(super) struct Fields<'a> {
    pub(super) variables: [Option<&'a Text<41, &'a [u8]>>; CALL_VARIABLES],
    pub(super) wrap_up: Option<&'a Text<40, &'a [u8]>>,
    pub(super) user_to_user: Option<bytes::Bytes>,
    pub(super) named: (u16, &'a [NamedVariable<&'a [u8]>]),
    pub(super) arrays: (u16, &'a [NamedArray<&'a [u8]>]),
    pub(super) more: More<'a>,
}

/// The fields that only SET_CALL_DATA_REQ has.
#[derive(Default)]
pub(super) struct More<'a> {
    ani: Option<&'a Text<40, &'a [u8]>>,
    caller_entered_digits: Option<&'a Text<40, &'a [u8]>>,
    customer_phone_number: Option<&'a Text<20, &'a [u8]>>,
    customer_account_number: Option<&'a Text<32, &'a [u8]>>,
    campaign: u32,
    query_rule: u32,
}

impl<'a> More<'a> {
    pub(super) fn of(request: &'a SetCallDataReq<&'a [u8]>) -> More<'a> {
        More {
            ani: request.ani.as_ref(),
            caller_entered_digits: request.caller_entered_digits.as_ref(),
            customer_phone_number: request.customer_phone_number.as_ref(),
            customer_account_number: request.customer_account_number.as_ref(),
            campaign: request.campaign_id,
            query_rule: request.query_rule_id,
        }
    }
}

/// What the message has fields for and no client can set is refused, unless it is so already.
pub(super) fn must_leave_the_rest(request: &SetCallDataReq<&[u8]>, call: Option<&Call>) -> Result<(), No> {
    let cannot = |status, field: &str, value: u32| {
        Err(No::failure(status, format!("{field} cannot be set, it is {value} in the request")))
    };
    let is_same_type = call.is_none_or(|call| call_type(call.kind) == request.call_type);
    if !matches!(request.call_type, CallType(0 | u16::MAX)) && !is_same_type {
        return cannot(Status::E_CTI_INVALID_CALL_TYPE, "CallType", request.call_type.0.into());
    }
    if !matches!(request.called_party_disposition, Disposition(0 | u16::MAX)) {
        let disposition = request.called_party_disposition.0.into();
        return cannot(Status::E_CTI_CALLED_PARTY_DISPOSITION, "CalledPartyDisposition", disposition);
    }
    let (day, number) = call.map(|call| call.key).unzip();
    for (field, value, is) in [
        ("RouterCallKeyDay", request.router_call_key_day, day),
        ("RouterCallKeyCallID", request.router_call_key_call_id, number),
        ("RouterCallKeySequenceNumber", request.router_call_key_sequence_number, Some(0)),
        ("CallOriginatedFrom", request.call_originated_from.map(u32::from), Some(0)),
    ] {
        if let Some(value) = value.filter(|value| is.is_none_or(|is| is != *value)) {
            return cannot(Status::E_CTI_PROTECTED_VARIABLE, field, value);
        }
    }
    Ok(())
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
    let More { ani, caller_entered_digits, customer_phone_number, customer_account_number, campaign, query_rule } =
        fields.more;
    data.ani = variable_of("ANI", ani)?;
    data.caller_entered_digits = variable_of("CallerEnteredDigits", caller_entered_digits)?;
    data.customer_phone_number = variable_of("CustomerPhoneNumber", customer_phone_number)?;
    data.customer_account_number = variable_of("CustomerAccountNumber", customer_account_number)?;
    // These two are in every request: neither of them is a number.
    let number = |number: u32| Some(number).filter(|number| ![0, u32::MAX].contains(number));
    (data.campaign, data.query_rule) = (number(campaign), number(query_rule));
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
fn variable_of<const MAX: usize>(name: &'static str, field: Option<&Text<MAX, &[u8]>>) -> Result<Option<String>, No> {
    match field {
        Some(field) if field.is_empty() => Ok(Some(String::new())),
        field => Ok(given(name, field)?.map(str::to_owned)),
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
        data_of!($request, Default::default())
    };
    ($request:ident, $more:expr) => {
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
            more: $more,
        })?
    };
}
pub(super) use data_of;
