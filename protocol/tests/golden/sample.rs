//! One value that is signed, or a part of one: the bytes that it makes, and how bytes are read as it again.

use std::fmt::Debug;

use ed25519_dalek::SigningKey;
use protocol::{
    deterministic::{self, CborFailure},
    sealed::{self, Kind, SealFailure},
};
use serde::{Serialize, de::DeserializeOwned};

use super::fixtures::Fixture;

type Open = Box<dyn Fn(Kind, &[u8]) -> Result<bool, SealFailure>>;
type Read = Box<dyn Fn(&[u8]) -> Result<bool, CborFailure>>;

/// The key that seals every sample.
pub(crate) fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// A value under its name.
pub(crate) struct Sample {
    pub(crate) name: String,
    /// What is made of it now.
    pub(crate) fixture: Fixture,
    /// What it is sealed as; none for what is only ever a part of something.
    pub(crate) kind: Option<Kind>,
    open: Open,
    read: Read,
}

impl Sample {
    /// Something that is sealed.
    pub(crate) fn sealed<T>(name: &str, kind: Kind, value: T) -> Self
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug + Clone + 'static,
    {
        let bytes = sealed::seal(kind, &value, &key()).unwrap();
        Self::new(name, Some(kind), value, bytes)
    }

    /// A part of what is sealed.
    pub(crate) fn part<T>(name: &str, value: T) -> Self
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug + Clone + 'static,
    {
        let bytes = deterministic::to_vec(&value).unwrap();
        Self::new(name, None, value, bytes)
    }

    fn new<T>(name: &str, kind: Option<Kind>, value: T, bytes: Vec<u8>) -> Self
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug + Clone + 'static,
    {
        let same = value.clone();
        Self {
            name: name.to_owned(),
            fixture: Fixture::new(&value, bytes),
            kind,
            open: Box::new(move |kind, bytes| {
                let opened = sealed::open::<T>(kind, bytes, &key().verifying_key())?;
                Ok(opened == same)
            }),
            read: Box::new(move |bytes| Ok(deterministic::from_slice::<T>(bytes)? == value)),
        }
    }

    /// Whether these bytes, opened as `kind`, are this value.
    pub(crate) fn opens(&self, kind: Kind, bytes: &[u8]) -> Result<bool, SealFailure> {
        (self.open)(kind, bytes)
    }

    /// Whether these bytes, without an envelope, are this value.
    pub(crate) fn reads(&self, bytes: &[u8]) -> Result<bool, CborFailure> {
        (self.read)(bytes)
    }
}
