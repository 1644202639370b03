//! The `message!` macro: a reader of tables.
//!
//! A message is declared once, as the guide prints it: rows of the fixed part in wire order, rows of the floating part
//! in the guide's order. The struct, decoding, encoding, `Debug`, JSON and the description are made from that. The
//! bodies made here are one line a row and call the functions of `read`, `write` and `field`.
//!
//! ```text
//! message! {
//!     /// What it is for.
//!     SET_AGENT_STATE_REQ as SetAgentStateReq, from Client, service "client-control" {
//!         fixed {
//!             "ForcedFlag" forced_flag: ForcedFlag, since 10;
//!         }
//!         floating {
//!             "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, is required;
//!             skill_groups: Vec<WantedSkillGroup>;    // a set: its rows stand in its own table
//!         }
//!     }
//! }
//! ```
//!
//! `S` is the message's storage: a text without it would be copied even by who only looks. A table may say two things more:
//! `fixed_may_have 2 bytes_more, since 14;` behind the fixed part, where clients are known that write more, and rows that have no
//! number in any tag table and cannot travel: `untagged { "UniqueInstanceID" String 64, since 24; }`.
//!
//! A body is read in one of two ways, with the same result: the usual one in one go (`PlainReader`), any other row by row
//! (`Reader`).

macro_rules! message {
    (
        $(#[doc = $doc:literal])+
        $name:ident as $message:ident, from $by:ident, service $service:literal $(, since $since:literal)? {
            fixed { $( $(#[$fmeta:meta])* $fname:literal $fixed:ident: $ftype:ty $(, since $fsince:literal)?; )* }
            $( fixed_may_have $more:literal bytes_more, since $msince:literal; )?
            floating { $(
                $(#[$meta:meta])*
                $($row:literal $tag:ident)? $place:ident: $type:ty $(, since $rsince:literal)? $(, is $flag:ident)*;
            )* }
            $( untagged { $(
                $uname:literal $utype:ident $($umax:literal)? $(, since $usince:literal)? $(, is $uflag:ident)*;
            )* } )?
        }
    ) => {
        $(#[doc = $doc])+
        #[doc = concat!("\n\n`", stringify!($name), "` of the guide.")]
        #[derive(Clone, Default, PartialEq)]
        pub struct $message<S: $crate::ged188::Storage = $crate::ged188::Octets> {
            $( #[doc = concat!("The guide's `", $fname, "`.")] $(#[$fmeta])* pub $fixed: $ftype, )*
            $( $(#[doc = concat!("The guide's `", $row, "`.")])? $(#[$meta])* pub $place: $type, )*
            /// What came that the table does not have.
            pub rest: $crate::ged188::Rest<S>,
        }

        #[allow(dead_code, unused_imports, unused_mut, unused_variables)] // a table may lack any of its parts
        const _: () = {
            use bytes::BytesMut;
            use serde_json::{Map, Value};
            use $crate::ged188::catalogue::{FieldInfo, MessageInfo, SentBy, WireType, fixed_bytes, join, newest, rows};
            use $crate::ged188::field::Floating;
            use $crate::ged188::read::{PlainReader, Reader};
            use $crate::ged188::table::{max, place, since};
            use $crate::ged188::octets::{Octets, Storage};
            use $crate::ged188::wire::{Number, Wire};
            use $crate::ged188::write::{FixedPart, Writer};
            use $crate::ged188::{Decode, DecodeError, EncodeError, HEADER_BYTES, Message, MessageType, Rest, Tag, Version};

            /// The number of each row, to tell whether fields came in the table's order.
            #[allow(non_camel_case_types)]
            enum Row { $($place),* }

            /// The description of each place: one row, or those of its set.
            struct Rows { $($place: &'static [FieldInfo]),* }
            const ROWS: Rows = {
                type S = Octets; // all storages have the same table
                Rows { $( $place: place!($type; $($row $tag)?; since!($($rsince)?); $($flag)*), )* }
            };
            const FIXED: &[FieldInfo] = &[$( FieldInfo::fixed::<$ftype>($fname, since!($($fsince)?)), )*];
            const UNTAGGED: &[FieldInfo] = &[$($(
                FieldInfo::untagged($uname, WireType::$utype, max!($($umax)?), since!($($usince)?))$(.$uflag())*,
            )*)?];
            const FLOATING: &[&[FieldInfo]] = &[$(ROWS.$place,)* UNTAGGED];

            impl<S: Storage> Message for $message<S> {
                type Storage = S;

                const INFO: &'static MessageInfo = &MessageInfo {
                    name: stringify!($name),
                    message_type: MessageType::$name,
                    since: since!($($since)?),
                    sent_by: SentBy::$by,
                    service: $service,
                    fixed: FIXED,
                    floating: &join::<{ rows(FLOATING) }>(FLOATING),
                    doc: concat!($($doc),+).trim_ascii(),
                };

                fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError> {
                    let mut writer = Writer::new(MessageType::$name, version, out);
                    let mut fixed = FixedPart::<{ HEADER_BYTES + fixed_bytes(FIXED) }>::new(MessageType::$name, version);
                    $( fixed.put(self.$fixed, since!($($fsince)?)); )*
                    let mut more: &[u8] = &[];
                    $( if version.has($msince) {
                        more = self.rest.more();
                    } )?
                    writer.fixed(&fixed, more, &self.rest);
                    $( self.$place.put(ROWS.$place, &mut writer); )*
                    writer.finish(&self.rest)
                }

                fn rest(&self) -> &Rest<S> {
                    &self.rest
                }

                fn to_json(&self, version: Version) -> Value {
                    let mut fields = Map::new();
                    $( if version.has(since!($($fsince)?)) {
                        fields.insert($fname.to_owned(), self.$fixed.json());
                    } )*
                    $( self.$place.json(ROWS.$place, version, &mut fields); )*
                    fields.into()
                }

                fn invoke_id(&self) -> Option<u32> {
                    $( if $fname == "InvokeID" {
                        return Some(self.$fixed.number());
                    } )*
                    None
                }
            }

            impl<'a, S: Storage + From<&'a [u8]>> Decode<'a> for $message<S> {
                fn decode_body(body: &'a [u8], version: Version) -> Result<Self, DecodeError> {
                    let may_have_more = false $(|| $more > 0)?;
                    let since = const { newest(FIXED) };
                    if let Some(reader) = PlainReader::new(version, body, since).filter(|_| !may_have_more) {
                        let mut message = Self::default();
                        if message.read_plain(reader) {
                            return Ok(message);
                        }
                    }
                    Self::decode_any(body, version)
                }

                #[inline(never)] // or the usual way would be the longer for it
                fn decode_any(body: &'a [u8], version: Version) -> Result<Self, DecodeError> {
                    let mut reader = Reader::new(MessageType::$name, version, body);
                    $( let $fixed = reader.fixed($fname, since!($($fsince)?))?; )*
                    $( reader.skip_more($more, $msince, Self::INFO.floating); )?
                    $( let mut $place: $type = Default::default(); )*
                    while let Some(field) = reader.next_field()? {
                        match field.tag {
                            $($( Tag::$tag => {
                                reader.take(&mut $place, Row::$place as usize, const { &ROWS.$place[0] }, field)?;
                            } )?)*
                            _ if false $(|| reader.take_member(&mut $place, Row::$place as usize, &field)?)* => {}
                            _ => reader.keep(field),
                        }
                    }
                    Ok(Self { $($fixed,)* $($place,)* rest: reader.rest() })
                }
            }

            impl<'a, S: Storage + From<&'a [u8]>> $message<S> {
                /// Reads the usual body; whether that is what it was.
                #[inline(always)] // so that the message is made where it is wanted
                fn read_plain(&mut self, mut reader: PlainReader<'a, { fixed_bytes(FIXED) }>) -> bool {
                    $( self.$fixed = reader.fixed(); )*
                    while let Some((tag, data)) = reader.next_field() {
                        let is_taken = match tag {
                            $($( Tag::$tag => {
                                let since = const { ROWS.$place[0].since };
                                reader.take(&mut self.$place, Row::$place as usize, since, data)
                            } )?)*
                            _ => false $(|| reader.take_member(&mut self.$place, Row::$place as usize, tag, data))*,
                        };
                        if !is_taken {
                            return false;
                        }
                    }
                    reader.is_done()
                }
            }

            impl<S: Storage> std::fmt::Debug for $message<S> {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    let mut fields = f.debug_struct(stringify!($name));
                    $( fields.field($fname, &self.$fixed); )*
                    $( if self.$place.is_present() {
                        fields.field(stringify!($place), &self.$place);
                    } )*
                    if !self.rest.is_empty() {
                        fields.field("rest", &self.rest);
                    }
                    fields.finish()
                }
            }
        };
    };
}
pub(crate) use message;

/// The description of a place: its own row, or else its set's table.
macro_rules! place {
    ($type:ty; $row:literal $tag:ident; $since:expr; $($flag:ident)*) => {
        &[FieldInfo::floating::<$type>($row, Tag::$tag, $since)$(.$flag())*]
    };
    ($type:ty; ; $since:expr; ) => {
        <$type as Floating>::MEMBERS
    };
}
pub(crate) use place;

/// The first version that has it; 0 where no source says.
macro_rules! since {
    () => {
        0
    };
    ($since:literal) => {
        $since
    };
}
pub(crate) use since;

/// The most bytes that it has, if a source says.
macro_rules! max {
    () => {
        None
    };
    ($max:literal) => {
        Some($max)
    };
}
pub(crate) use max;
