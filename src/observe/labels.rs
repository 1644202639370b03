//! Labels: small sets of names that metrics, log lines and the runbook share. Not here: what they mean.

/// One of a small set of names.
pub trait Label: Copy + Eq + 'static {
    /// All of them, in the order of declaration.
    const ALL: &'static [Self];

    /// Its name, in snake case: it never changes, alerts look for it.
    fn label(self) -> &'static str;

    /// Its place in [`ALL`](Label::ALL).
    fn place(self) -> usize;
}

/// Declares a set of labels as a table.
macro_rules! labels {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$of:meta])* $variant:ident = $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[$of])* $variant,)* }

        impl $crate::observe::Label for $name {
            const ALL: &'static [$name] = &[$($name::$variant,)*];

            fn label(self) -> &'static str {
                match self { $($name::$variant => $label,)* }
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use labels;
