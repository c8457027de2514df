//! Typed parameters: how libvirt names and types what it measured.

use std::borrow::Cow;

use crate::{
    error::{DecodeError, Reason},
    xdr::{Decode, Reader, Writer},
};

/// A `remote_typed_param`.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedParam<'a> {
    /// libvirt's name of the field, `balloon.current`.
    pub field: Cow<'a, str>,
    /// What libvirt says of it.
    pub value: Value<'a>,
}

impl TypedParam<'_> {
    /// Returns the parameter apart from the payload that it came in.
    pub fn into_owned(self) -> TypedParam<'static> {
        TypedParam { field: Cow::Owned(self.field.into_owned()), value: self.value.into_owned() }
    }

    /// Writes the parameter, in the order of the protocol's fields.
    pub fn encode(&self, writer: &mut Writer) {
        writer.string(&self.field);
        match &self.value {
            Value::Int(value) => {
                writer.u32(1);
                writer.i32(*value);
            }
            Value::UInt(value) => {
                writer.u32(2);
                writer.u32(*value);
            }
            Value::LLong(value) => {
                writer.u32(3);
                writer.u64(value.cast_unsigned());
            }
            Value::ULLong(value) => {
                writer.u32(4);
                writer.u64(*value);
            }
            Value::Double(value) => {
                writer.u32(5);
                writer.u64(value.to_bits());
            }
            Value::Boolean(value) => {
                writer.u32(6);
                writer.u32((*value).into());
            }
            Value::String(value) => {
                writer.u32(7);
                writer.string(value);
            }
        }
    }
}

impl<'a> Decode<'a> for TypedParam<'a> {
    const MIN_LEN: usize = 12;

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self { field: reader.string("typed parameter field")?, value: Value::decode(reader)? })
    }
}

/// The value of a typed parameter, in the type that libvirt chose for it.
///
/// The same field may come in another type from another release: read it by
/// value ([`Value::unsigned`]), not by type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `VIR_TYPED_PARAM_INT`
    Int(i32),
    /// `VIR_TYPED_PARAM_UINT`
    UInt(u32),
    /// `VIR_TYPED_PARAM_LLONG`
    LLong(i64),
    /// `VIR_TYPED_PARAM_ULLONG`
    ULLong(u64),
    /// `VIR_TYPED_PARAM_DOUBLE`
    Double(f64),
    /// `VIR_TYPED_PARAM_BOOLEAN`
    Boolean(bool),
    /// `VIR_TYPED_PARAM_STRING`
    String(Cow<'a, str>),
}

impl Value<'_> {
    /// Returns the value apart from the payload that it came in.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Int(value) => Value::Int(value),
            Self::UInt(value) => Value::UInt(value),
            Self::LLong(value) => Value::LLong(value),
            Self::ULLong(value) => Value::ULLong(value),
            Self::Double(value) => Value::Double(value),
            Self::Boolean(value) => Value::Boolean(value),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
        }
    }

    /// Returns a count or amount, whichever integer type carried it.
    ///
    /// `None` for a negative number and for what is no integer.
    pub fn unsigned(&self) -> Option<u64> {
        match *self {
            Self::Int(value) => u64::try_from(value).ok(),
            Self::UInt(value) => Some(value.into()),
            Self::LLong(value) => u64::try_from(value).ok(),
            Self::ULLong(value) => Some(value),
            Self::Double(_) | Self::Boolean(_) | Self::String(_) => None,
        }
    }

    /// Returns a measure, whichever number carried it; 0 or 1 for a flag.
    ///
    /// `None` for what is no number, or none that is finite.
    #[expect(clippy::cast_precision_loss, reason = "a measure, not a count")]
    pub fn double(&self) -> Option<f64> {
        match *self {
            Self::Int(value) => Some(value.into()),
            Self::UInt(value) => Some(value.into()),
            Self::LLong(value) => Some(value as f64),
            Self::ULLong(value) => Some(value as f64),
            Self::Double(value) => Some(value).filter(|value| value.is_finite()),
            Self::Boolean(value) => Some(value.into()),
            Self::String(_) => None,
        }
    }

    /// Returns a flag, whether it came as one or as 0 or 1.
    pub fn flag(&self) -> Option<bool> {
        match *self {
            Self::Boolean(value) => Some(value),
            Self::Int(0) | Self::UInt(0) | Self::LLong(0) | Self::ULLong(0) => Some(false),
            Self::Int(1) | Self::UInt(1) | Self::LLong(1) | Self::ULLong(1) => Some(true),
            Self::Int(_)
            | Self::UInt(_)
            | Self::LLong(_)
            | Self::ULLong(_)
            | Self::Double(_)
            | Self::String(_) => None,
        }
    }

    /// Returns the text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Int(_)
            | Self::UInt(_)
            | Self::LLong(_)
            | Self::ULLong(_)
            | Self::Double(_)
            | Self::Boolean(_) => None,
        }
    }
}

impl<'a> Decode<'a> for Value<'a> {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        const WHAT: &str = "typed parameter value";
        const TYPE: &str = "typed parameter type";

        Ok(match reader.u32(TYPE)? {
            1 => Self::Int(reader.i32(WHAT)?),
            2 => Self::UInt(reader.u32(WHAT)?),
            3 => Self::LLong(reader.i64(WHAT)?),
            4 => Self::ULLong(reader.u64(WHAT)?),
            5 => Self::Double(reader.f64(WHAT)?),
            6 => Self::Boolean(reader.i32(WHAT)? != 0),
            7 => Self::String(reader.string(WHAT)?),
            // The size of a type unknown to us is unknown too: nothing after it can be read.
            unknown => return Err(DecodeError::new(TYPE, Reason::Discriminant(unknown))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_by_value_not_by_type() {
        for value in [Value::Int(7), Value::UInt(7), Value::LLong(7), Value::ULLong(7)] {
            assert_eq!(value.unsigned(), Some(7), "{value:?}");
        }
        for value in [Value::Int(-1), Value::LLong(-1), Value::Double(7.0), Value::Boolean(true)] {
            assert_eq!(value.unsigned(), None, "{value:?}");
        }
    }

    #[test]
    fn a_measure_is_any_number_that_is_finite_and_a_flag_is_one_of_two() {
        for value in [Value::Int(1), Value::ULLong(1), Value::Double(1.0), Value::Boolean(true)] {
            assert_eq!(value.double(), Some(1.0), "{value:?}");
        }
        for value in
            [Value::Double(f64::NAN), Value::Double(f64::INFINITY), Value::String("1".into())]
        {
            assert_eq!(value.double(), None, "{value:?}");
        }
        for (value, flag) in [
            (Value::Boolean(true), Some(true)),
            (Value::Int(0), Some(false)),
            (Value::UInt(1), Some(true)),
            (Value::Int(2), None),
            (Value::Double(1.0), None),
        ] {
            assert_eq!(value.flag(), flag, "{value:?}");
        }
    }

    #[test]
    fn a_parameter_survives_the_round_trip() {
        for value in [
            Value::Int(-1),
            Value::UInt(1),
            Value::LLong(-2),
            Value::ULLong(u64::MAX),
            Value::Double(0.5),
            Value::Boolean(true),
            Value::String("vda".into()),
        ] {
            let param = TypedParam { field: "block.0.name".into(), value };
            let mut writer = Writer::default();
            param.encode(&mut writer);
            let bytes = writer.into_bytes();
            let read = TypedParam::decode(&mut Reader::new(&bytes)).unwrap();
            assert_eq!(read, param);
            assert_eq!(read.into_owned(), param);
        }
    }

    #[test]
    fn an_unknown_type_fails_the_reply() {
        let error = Value::decode(&mut Reader::new(&[0, 0, 0, 8, 0, 0, 0, 0])).unwrap_err();
        assert_eq!(error.to_string(), "typed parameter type has the unknown value 8");
    }
}
