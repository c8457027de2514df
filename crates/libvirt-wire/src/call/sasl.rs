//! Who may connect, where the daemon asks in SASL (RFC 4422).

use super::Call;
use crate::{
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks which mechanisms the daemon offers: their names, with commas between.
///
/// A daemon that can offer none on this connection refuses the question with code 45.
#[derive(Clone, Copy, Debug)]
pub struct AuthSaslInit;

impl Call for AuthSaslInit {
    const PROCEDURE: Procedure = Procedure::AUTH_SASL_INIT;
    type Reply<'a> = String;

    fn encode(&self, _: &mut Writer) {}
}

/// Begins with a mechanism, and with its first message where it has one.
#[derive(Clone, Copy, Debug)]
pub struct AuthSaslStart<'c> {
    /// The mechanism's name.
    pub mechanism: &'c str,
    /// What the client says first. `None` is not the same as nothing.
    pub data: Option<&'c [u8]>,
}

impl Call for AuthSaslStart<'_> {
    const PROCEDURE: Procedure = Procedure::AUTH_SASL_START;
    type Reply<'a> = SaslReply;

    fn encode(&self, arguments: &mut Writer) {
        arguments.string(self.mechanism);
        encode_data(self.data, arguments);
    }
}

/// Goes on with what the mechanism has to say next.
#[derive(Clone, Copy, Debug)]
pub struct AuthSaslStep<'c> {
    /// What the client says. `None` is not the same as nothing.
    pub data: Option<&'c [u8]>,
}

impl Call for AuthSaslStep<'_> {
    const PROCEDURE: Procedure = Procedure::AUTH_SASL_STEP;
    type Reply<'a> = SaslReply;

    fn encode(&self, arguments: &mut Writer) {
        encode_data(self.data, arguments);
    }
}

/// What the daemon answers to a mechanism's message.
#[derive(Clone, PartialEq, Eq)]
pub struct SaslReply {
    /// Whether the daemon lets us in.
    pub is_complete: bool,
    /// What the daemon says. `None` is not the same as nothing.
    pub data: Option<Vec<u8>>,
}

/// What is said is nobody's business but the mechanism's.
impl std::fmt::Debug for SaslReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SaslReply").field("is_complete", &self.is_complete).finish_non_exhaustive()
    }
}

impl Decode<'_> for SaslReply {
    const MIN_LEN: usize = 12;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let is_complete = reader.i32("complete")? != 0;
        let is_nil = reader.i32("nil")? != 0;
        let data: Vec<Char> = reader.list("SASL data", AUTH_SASL_DATA_MAX)?;
        let data = (!is_nil).then(|| data.into_iter().map(|Char(byte)| byte).collect());
        Ok(Self { is_complete, data })
    }
}

/// A byte of `char<>`, which is four on the wire.
#[derive(Debug)]
struct Char(u8);

impl Decode<'_> for Char {
    const MIN_LEN: usize = 4;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        // A `char` is signed where libvirt runs mostly, and its upper half comes as negative
        // numbers: the last of the four bytes is the byte, either way.
        let [.., byte] = reader.i32("SASL data")?.to_be_bytes();
        Ok(Self(byte))
    }
}

/// `int nil; char data<>`
fn encode_data(data: Option<&[u8]>, arguments: &mut Writer) {
    arguments.i32(i32::from(data.is_none()));
    let data = data.unwrap_or_default();
    arguments.u32(u32::try_from(data.len()).unwrap_or(u32::MAX));
    for byte in data {
        arguments.i32(i32::from(byte.cast_signed()));
    }
}

/// `REMOTE_AUTH_SASL_DATA_MAX`
const AUTH_SASL_DATA_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_takes_four_and_comes_back() {
        let said: Vec<u8> = (0..=255).collect();
        let arguments = AuthSaslStep { data: Some(&said) }.arguments();
        assert_eq!(arguments.len(), 8 + 4 * 256);
        assert_eq!(arguments[..8], [0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(arguments[8 + 4 * 0x80..][..4], [0xff, 0xff, 0xff, 0x80]);
        let reply = [&[0, 0, 0, 1], &arguments[..]].concat();
        let reply = AuthSaslStep::decode(&reply).unwrap();
        assert_eq!(reply, SaslReply { is_complete: true, data: Some(said) });
    }

    #[test]
    fn nothing_said_is_not_an_empty_message() {
        let nil = AuthSaslStart { mechanism: "PLAIN", data: None }.arguments();
        assert_eq!(nil[nil.len() - 8..], [0, 0, 0, 1, 0, 0, 0, 0]);
        let empty = AuthSaslStart { mechanism: "PLAIN", data: Some(b"") }.arguments();
        assert_eq!(empty[empty.len() - 8..], [0; 8]);
        for (nil, data) in [(1, None), (0, Some(Vec::new()))] {
            let reply = AuthSaslStep::decode(&[0, 0, 0, 0, 0, 0, 0, nil, 0, 0, 0, 0]).unwrap();
            assert_eq!(reply, SaslReply { is_complete: false, data });
        }
    }

    #[test]
    fn more_than_the_protocol_allows_is_refused() {
        let reply = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1];
        assert!(AuthSaslStep::decode(&reply).is_err());
    }
}
