//! Where the bytes of a field are: in the frame that they came in, or kept.
//!
//! Lives here: [`Storage`], which each message has as its parameter, and [`Octets`], the one that keeps.
//! Not here: what the bytes mean, and how many there may be (`text`, `named`).
//! Must hold: what is only looked at lies where it came; what is kept keeps no frame, let alone a read buffer, in memory.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Where a message has the bytes of its texts: `&[u8]`, in the frame, while it is looked at; [`Octets`] for longer than that.
///
/// `Debug` is for sets of fields only; no message shows its storage, which may be a secret's.
pub trait Storage: AsRef<[u8]> + Clone + Default + fmt::Debug {}

impl<S: AsRef<[u8]> + Clone + Default + fmt::Debug> Storage for S {}

/// Bytes of their own: ids, names and extensions in place, longer ones on the heap.
#[derive(Clone)]
pub struct Octets(Place);

/// No larger than a `Vec`, in an `Option` too: most fields of a message are not there, and a message has many.
#[derive(Clone)]
enum Place {
    Here { len: u8, bytes: [u8; HERE_BYTES_MAX] },
    Heap(Box<[u8]>),
}

impl Octets {
    /// A copy of these one after the other.
    #[inline]
    pub(crate) fn of(bytes: &[u8], end: &[u8]) -> Octets {
        let len = bytes.len() + end.len();
        if len > HERE_BYTES_MAX {
            return Octets(Place::Heap([bytes, end].concat().into()));
        }
        let mut here = [0; HERE_BYTES_MAX];
        here[..bytes.len()].copy_from_slice(bytes);
        here[bytes.len()..len].copy_from_slice(end);
        Octets(Place::Here { len: len as u8, bytes: here })
    }
}

impl From<&[u8]> for Octets {
    #[inline]
    fn from(bytes: &[u8]) -> Octets {
        if bytes.len() > HERE_BYTES_MAX {
            return Octets(Place::Heap(bytes.into()));
        }
        let mut here = [0; HERE_BYTES_MAX];
        copy(bytes, &mut here[..bytes.len()]);
        Octets(Place::Here { len: bytes.len() as u8, bytes: here })
    }
}

/// Copies to a place of the same length. What is short is copied in two pieces of a width that is known, which may overlap:
/// a call that copies costs more than the copy.
#[inline]
pub(super) fn copy(from: &[u8], to: &mut [u8]) {
    match from.len() {
        0..4 => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        4..8 => copy_ends::<4>(from, to),
        8..16 => copy_ends::<8>(from, to),
        16..33 => copy_ends::<16>(from, to),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last `N` of at most twice as many.
#[inline]
fn copy_ends<const N: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(first), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *to = *first;
    }
    if let (Some(last), Some(to)) = (from.last_chunk::<N>(), to.last_chunk_mut::<N>()) {
        *to = *last;
    }
}

impl From<Vec<u8>> for Octets {
    fn from(bytes: Vec<u8>) -> Octets {
        if bytes.len() > HERE_BYTES_MAX { Octets(Place::Heap(bytes.into())) } else { bytes[..].into() }
    }
}

impl AsRef<[u8]> for Octets {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Place::Here { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Place::Heap(bytes) => bytes,
        }
    }
}

impl std::ops::Deref for Octets {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_ref()
    }
}

impl Default for Octets {
    fn default() -> Octets {
        Octets::of(&[], &[])
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Octets) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Octets {}

impl Hash for Octets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl fmt::LowerHex for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Octets {
    /// How many only: they may be a secret's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.as_ref().len())
    }
}

/// What fits beside the length and the mark of which of the two it is.
const HERE_BYTES_MAX: usize = 22;

const _: () = assert!(size_of::<Option<Octets>>() == 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn here_or_on_the_heap_they_read_the_same() {
        let all: Vec<u8> = (0..100).collect();
        for len in 0..all.len() {
            let kept = Octets::from(&all[..len]);
            assert_eq!(kept.as_ref(), &all[..len]);
            assert_eq!(matches!(kept.0, Place::Here { .. }), len <= HERE_BYTES_MAX);
            assert_eq!(Octets::of(&all[..len], &[0]).as_ref(), [&all[..len], &[0]].concat());
        }
    }
}
