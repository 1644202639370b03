//! Sets: floating fields that belong together and are repeated together, told apart by order alone.
//!
//! Lives here: the `set!` table and the rule that says where a set ends.
//! Not here: how many sets a count field promises; whoever serves the message compares that.

/// Declares a set as the document's rows, in their order: name, tag, Rust field, type, first version.
///
/// A new set begins with a field that the last set has already or that comes before one it has. So the first member
/// begins a set for certain, and set by set the same bytes go out that came in.
///
/// One with texts is declared with the storage that these have.
macro_rules! set {
    ($(#[$meta:meta])* $set:ident<S> { $($rows:tt)+ }) => {
        set! { $(#[$meta])* $set [<S: $crate::ged188::Storage = $crate::ged188::Octets>] [S: $crate::ged188::Storage] [S: $crate::ged188::Storage + From<&'a [u8]>] [<S>] { $($rows)+ } }
    };
    ($(#[$meta:meta])* $set:ident { $($rows:tt)+ }) => {
        set! { $(#[$meta])* $set [] [] [] [] { $($rows)+ } }
    };
    ($(#[$meta:meta])* $set:ident [$($declared:tt)*] [$($any:tt)*] [$($lent:tt)*] [$($of:tt)*] {
        $( $name:literal $tag:ident $field:ident: $type:ty $(, since $since:literal)? $(, is $flag:ident)*; )+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq, Debug)]
        pub struct $set $($declared)* {
            $( #[doc = concat!("The guide's `", $name, "`.")] pub $field: Option<$type>, )+
        }

        const _: () = {
            use $crate::ged188::catalogue::FieldInfo;
            use $crate::ged188::field::{Element, TakeElement};
            use $crate::ged188::set::open;
            use $crate::ged188::table::since;
            use $crate::ged188::wire::{Flaw, Read, Wire};
            use $crate::ged188::write::Writer;
            use $crate::ged188::Tag;
            use serde_json::Value;

            #[allow(non_camel_case_types)]
            #[derive(PartialEq, PartialOrd)]
            enum Member { $($field),+ }

            impl<$($any)*> Element for $set $($of)* {
                type Value = u32;
                const MEMBERS: &'static [FieldInfo] = &[
                    $( FieldInfo::member::<$type>($name, Tag::$tag, since!($($since)?))$(.$flag())*, )+
                ];

                #[inline]
                fn put(&self, _: &'static [FieldInfo], writer: &mut Writer<'_>) {
                    $( if let Some(value) = &self.$field {
                        writer.floating(const { &Self::MEMBERS[Member::$field as usize] }, value);
                    } )+
                }

                fn json_into(&self, row: &FieldInfo, values: &mut Vec<Value>) {
                    match row.name {
                        $( $name => self.$field.iter().for_each(|value| Wire::json_into(value, values)), )+
                        _ => {}
                    }
                }
            }

            impl<'a, $($lent)*> TakeElement<'a> for $set $($of)* {
                fn take(_: &mut Vec<Self>, _: &'a [u8]) -> Result<(), Flaw> {
                    Ok(())
                }

                fn take_member(list: &mut Vec<Self>, tag: Tag, data: &'a [u8]) -> Result<bool, Flaw> {
                    let last = |set: &Self| {
                        let mut last = None;
                        $( if set.$field.is_some() { last = Some(Member::$field); } )+
                        last
                    };
                    match tag {
                        $( Tag::$tag => {
                            let value = Read::read(data)?;
                            open(list, |set| last(set) >= Some(Member::$field)).$field = Some(value);
                        } )+
                        _ => return Ok(false),
                    }
                    Ok(true)
                }
            }
        };
    };
}
pub(crate) use set;

/// The set that the next field belongs to: the last one, or a new one if there is none or it `is_past` that field.
pub(crate) fn open<S: Default>(sets: &mut Vec<S>, is_past: impl Fn(&S) -> bool) -> &mut S {
    if sets.last().is_none_or(is_past) {
        sets.push(S::default());
    }
    let last = sets.len() - 1;
    &mut sets[last]
}
