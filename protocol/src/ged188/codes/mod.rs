//! Numbers with names: states, causes, failure codes, masks. An unknown number is a value like any other.
//!
//! Lives here: one type a table of the guide ("Constants and Status Codes"); the constants keep the guide's names.
//! Not here: what follows from a code, and which version knows it.

pub mod special;

mod agent;
mod call;
mod config;
mod device;
mod recording;
mod session;

pub use agent::*;
pub use call::*;
pub use config::*;
pub use device::*;
pub use recording::*;
pub use session::*;

/// A table as data: its name in the facts of the test, and its rows in the guide's order.
pub type CodeTable = (&'static str, &'static [(&'static str, u32)]);

/// Every table.
pub static TABLES: &[CodeTable] = &[
    ("status", Status::NAMES),
    ("control_failure", ControlFailure::NAMES),
    ("system_event_id", SystemEventId::NAMES),
    ("special", special::NAMES),
    ("agent_state", AgentState::NAMES),
    ("agent_work_mode", AgentWorkMode::NAMES),
    ("agent_mode", AgentMode::NAMES),
    ("agent_availability", AgentAvailability::NAMES),
    ("agent_call_direction", AgentCallDirection::NAMES),
    ("forced_flag", ForcedFlag::NAMES),
    ("agent_service_request", AgentServiceRequest::NAMES),
    ("session_type", SessionType::NAMES),
    ("service_mask", ServiceMask::NAMES),
    ("call_msg_mask", CallMsgMask::NAMES),
    ("agent_state_mask", AgentStateMask::NAMES),
    ("config_msg_mask", ConfigMsgMask::NAMES),
    ("call_variable_mask", CallVariableMask::NAMES),
    ("pg_status", PgStatus::NAMES),
    ("uccx_status", UccxStatus::NAMES),
    ("peripheral_type", PeripheralType::NAMES),
    ("local_connection_state", LocalConnectionState::NAMES),
    ("event_cause", EventCause::NAMES),
    ("event_cause_extended", EventCauseExtended::NAMES),
    ("disposition", Disposition::NAMES),
    ("device_id_type", DeviceIdType::NAMES),
    ("connection_device_id_type", ConnectionDeviceIdType::NAMES),
    ("call_type", CallType::NAMES),
    ("line_type", LineType::NAMES),
    ("allocation_state", AllocationState::NAMES),
    ("forward_type", ForwardType::NAMES),
    ("type_of_device", TypeOfDevice::NAMES),
    ("class_of_device", ClassOfDevice::NAMES),
    ("call_placement_type", CallPlacementType::NAMES),
    ("call_manner_type", CallMannerType::NAMES),
    ("call_option", CallOption::NAMES),
    ("consult_type", ConsultType::NAMES),
    ("facility_type", FacilityType::NAMES),
    ("answering_machine", AnsweringMachine::NAMES),
    ("answer_detect_mode", AnswerDetectMode::NAMES),
    ("destination_country", DestinationCountry::NAMES),
    ("silent_monitor_status", SilentMonitorStatus::NAMES),
    ("task_state", TaskState::NAMES),
    ("message_distribution", MessageDistribution::NAMES),
    ("client_event_state", ClientEventState::NAMES),
    ("supervisory_action", SupervisoryAction::NAMES),
    ("transfer_conference_setup_mask", TransferConferenceSetupMask::NAMES),
    ("call_control_mask", CallControlMask::NAMES),
    ("other_feature_mask", OtherFeatureMask::NAMES),
    ("desk_settings_mask", DeskSettingsMask::NAMES),
    ("wrapup_mode", WrapupMode::NAMES),
    ("rtp_direction", RtpDirection::NAMES),
    ("rtp_type", RtpType::NAMES),
    ("agent_flags", AgentFlags::NAMES),
    ("team_config_operation", TeamConfigOperation::NAMES),
    ("server_mode", ServerMode::NAMES),
    ("agent_greeting_action", AgentGreetingAction::NAMES),
    ("config_key_status", ConfigKeyStatus::NAMES),
    ("config_type", ConfigType::NAMES),
    ("config_record_type", ConfigRecordType::NAMES),
    ("config_agent_type", ConfigAgentType::NAMES),
    ("config_device_type", ConfigDeviceType::NAMES),
    ("enabled_service", EnabledService::NAMES),
    ("recording_type", RecordingType::NAMES),
    ("media_forking_device_type", MediaForkingDeviceType::NAMES),
    ("recorder_type", RecorderType::NAMES),
    ("recorder_status", RecorderStatus::NAMES),
    ("play_tone_direction", PlayToneDirection::NAMES),
    ("uccx_reason_code", UccxReasonCode::NAMES),
    ("uccx_error_code", UccxErrorCode::NAMES),
];

/// Declares a number whose values have names.
macro_rules! codes {
    ($(#[$meta:meta])* pub struct $code:ident($raw:ident: $type:ident) { $( $name:ident = $value:literal; )* }) => {
        $crate::ged188::codes::named! { $(#[$meta])* $code($raw: $type, false) { $( $name = $value; )* } }

        impl $code {
            /// The guide's name; none if the table does not have the value.
            pub fn name(self) -> Option<&'static str> {
                Self::NAMES.iter().find(|row| row.1 == u32::from(self.0)).map(|row| row.0)
            }
        }

        impl std::fmt::Debug for $code {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($code), "({})"), self.0),
                }
            }
        }
    };
}
use codes;

/// Declares a number whose bits have names.
macro_rules! masks {
    ($(#[$meta:meta])* pub struct $mask:ident($raw:ident: $type:ident) { $( $name:ident = $value:literal; )* }) => {
        $crate::ged188::codes::named! { $(#[$meta])* $mask($raw: $type, true) { $( $name = $value; )* } }

        impl $mask {
            /// Every bit that has a name.
            pub const ALL: $mask = $mask(0 $(| $value)*);

            /// Whether no bit is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Whether all bits of `other` are set.
            pub const fn has(self, other: $mask) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl std::ops::BitOr for $mask {
            type Output = $mask;

            fn bitor(self, other: $mask) -> $mask {
                $mask(self.0 | other.0)
            }
        }

        impl std::ops::BitAnd for $mask {
            type Output = $mask;

            fn bitand(self, other: $mask) -> $mask {
                $mask(self.0 & other.0)
            }
        }

        impl std::ops::Not for $mask {
            type Output = $mask;

            fn not(self) -> $mask {
                $mask(!self.0)
            }
        }

        impl std::fmt::Debug for $mask {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::ged188::codes::fmt_mask(u32::from(self.0), Self::NAMES, f)
            }
        }
    };
}
use masks;

/// What codes and masks share: the number, its constants, its place on the wire.
macro_rules! named {
    ($(#[$meta:meta])* $code:ident($raw:ident: $type:ident, $is_mask:literal) { $( $name:ident = $value:literal; )* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $code(pub $raw);

        impl $code {
            $(
                #[doc = concat!("`", stringify!($value), "` on the wire.")]
                #[allow(non_upper_case_globals)] // the guide prints one with a small letter
                pub const $name: $code = $code($value);
            )*

            /// The table: names and values, in the guide's order.
            pub const NAMES: &[(&str, u32)] = &[$( (stringify!($name), $value), )*];
        }

        const _: () = {
            use $crate::ged188::wire::{Number, Wire, WireType};

            impl Wire for $code {
                const TYPE: WireType = WireType::$type;
                const BYTES_MAX: usize = size_of::<$raw>();
                const NAMES: &'static [(&'static str, u32)] = Self::NAMES;
                const IS_MASK: bool = $is_mask;

                fn bytes(&self) -> usize {
                    Self::BYTES_MAX
                }

                fn put(&self, out: &mut impl bytes::BufMut) {
                    self.0.put(out);
                }

                fn json(&self) -> serde_json::Value {
                    self.0.into()
                }
            }

            impl Number for $code {
                #[inline]
                fn parse(input: &[u8]) -> nom::IResult<&[u8], $code, ()> {
                    <$raw as Number>::parse(input).map(|(rest, value)| (rest, $code(value)))
                }

                #[inline]
                fn write(self, to: &mut [u8]) {
                    self.0.write(to);
                }

                fn number(self) -> u32 {
                    self.0.into()
                }
            }
        };
    };
}
use named;

/// The names of the bits that are set, and what remains as a number.
fn fmt_mask(mask: u32, names: &[(&str, u32)], f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let mut left = mask;
    for (name, bit) in names.iter().filter(|(_, bit)| mask & bit != 0) {
        f.write_str(if left == mask { "" } else { " | " })?;
        f.write_str(name)?;
        left &= !bit;
    }
    match left {
        0 if mask != 0 => Ok(()),
        left if left == mask => write!(f, "{left:#x}"),
        left => write!(f, " | {left:#x}"),
    }
}
