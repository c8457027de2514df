//! The arguments of a call, as the daemon reads them.

use libvirt_wire::{
    Domain, Uuid,
    xdr::{Decode, Reader},
};

use crate::refusal::Refusal;

/// The part of the arguments that has not been read yet.
#[derive(Debug)]
pub(crate) struct Arguments<'a> {
    reader: Reader<'a>,
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Self { reader: Reader::new(payload) }
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Refusal> {
        self.read()
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Refusal> {
        self.read::<i32>().map(i32::cast_unsigned)
    }

    pub(crate) fn string(&mut self) -> Result<String, Refusal> {
        self.read()
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, Refusal> {
        let mut bytes = [0; 16];
        for word in bytes.as_chunks_mut().0 {
            *word = self.i32()?.to_be_bytes();
        }
        Ok(Uuid(bytes))
    }

    pub(crate) fn domain(&mut self) -> Result<Domain, Refusal> {
        self.read()
    }

    /// Reads a storage pool: its name and its UUID.
    pub(crate) fn pool(&mut self) -> Result<(String, Uuid), Refusal> {
        Ok((self.string()?, self.uuid()?))
    }

    pub(crate) fn optional_string(&mut self) -> Result<Option<String>, Refusal> {
        self.optional(Self::string)
    }

    pub(crate) fn optional_domain(&mut self) -> Result<Option<Domain>, Refusal> {
        self.optional(Self::domain)
    }

    /// Reads a list of domains, each of which takes at least 24 bytes: no claim
    /// makes us reserve more than what has arrived.
    pub(crate) fn domains(&mut self) -> Result<Vec<Domain>, Refusal> {
        (0..self.u32()?).map(|_| self.domain()).collect()
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        match self.u32()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Refusal::undecodable()),
        }
    }

    fn read<T: Decode<'a>>(&mut self) -> Result<T, Refusal> {
        T::decode(&mut self.reader).map_err(|_| Refusal::undecodable())
    }
}
