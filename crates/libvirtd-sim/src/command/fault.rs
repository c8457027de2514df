//! The command that orders a fault.

use super::{
    Command, CommandError, change,
    words::{Words, wrong},
};
use crate::fault::{Damage, Delivery, Fault, Occasion, Rule};

/// Understands what follows `fault`.
pub(super) fn parse(words: &mut Words<'_>) -> Result<Command, CommandError> {
    let occasion = occasion(words)?;
    let target = words.target()?;
    let fault = fault(words)?;
    let left = if words.peek() == Some("times") {
        words.word();
        Some(words.number("how many times", 1..=u32::MAX)?)
    } else {
        None
    };
    let rule = Rule { occasion, target, fault, left };
    Ok(change(move |state| state.faults.add(rule)))
}

fn occasion(words: &mut Words<'_>) -> Result<Occasion, CommandError> {
    let word = words.word();
    Ok(match word {
        Some("accept") => Occasion::Accept,
        Some("ping") => Occasion::Ping,
        Some("*") => Occasion::AnyProcedure,
        _ => match word.and_then(|word| word.parse().ok()) {
            Some(number) => Occasion::Procedure(number),
            None => {
                let right = "a procedure's number, *, accept or ping";
                return Err(wrong(word, "what it strikes", right));
            }
        },
    })
}

fn fault(words: &mut Words<'_>) -> Result<Fault, CommandError> {
    let delivery = |delivery| Ok(Fault::Delivery(delivery));
    let damage = |damage| Ok(Fault::Damage(damage));
    let any = 0..=u32::MAX;
    match words.next("what goes wrong", FAULTS)? {
        "never" => Ok(Fault::Never),
        "late" => Ok(Fault::Late(words.duration("how late")?)),
        "error" => {
            let code = words.number("an error's code", 1..=i32::MAX)?;
            let text = text(words);
            Ok(Fault::Error(code, text))
        }
        "after" => delivery(Delivery::After(words.number("how many replies", 1..=REPLIES_MAX)?)),
        "twice" => delivery(Delivery::Twice),
        "stray" => delivery(Delivery::Stray),
        "cut" => delivery(Delivery::Cut(bytes(words)?)),
        "restart" => delivery(Delivery::Restart(bytes(words)?)),
        "silence" => delivery(Delivery::Silence),
        "pieces" => delivery(Delivery::Pieces(bytes(words)?.max(1))),
        "length" => damage(Damage::Word(0, words.number("a length", any)?)),
        "program" => damage(Damage::Word(4, words.number("a program", any)?)),
        "procedure" => damage(Damage::Word(12, words.number("a procedure", any)?)),
        "type" => damage(Damage::Word(16, words.number("a packet's type", any)?)),
        "serial" => damage(Damage::Word(20, words.number("a serial", any)?)),
        "status" => damage(Damage::Word(24, words.number("a status", any)?)),
        "count" => damage(Damage::Count(words.number("a count", any)?)),
        "word" => {
            let at = bytes(words)?;
            damage(Damage::Word(at, words.number("its value", any)?))
        }
        "value-type" => damage(Damage::ValueType(words.number("a value's type", any)?)),
        "utf8" => damage(Damage::Utf8),
        _ => damage(Damage::Pad(bytes(words)?)),
    }
}

/// Every fault's first word.
const FAULTS: &[&str] = &[
    "never",
    "late",
    "error",
    "after",
    "twice",
    "stray",
    "cut",
    "restart",
    "silence",
    "pieces",
    "length",
    "program",
    "procedure",
    "type",
    "serial",
    "status",
    "count",
    "word",
    "value-type",
    "utf8",
    "pad",
];
/// More than a connection can have calls outstanding.
const REPLIES_MAX: usize = 1000;
/// `VIR_NET_MESSAGE_MAX` and the length word: the longest packet.
const PACKET_MAX: usize = 33_554_436;

fn bytes(words: &mut Words<'_>) -> Result<usize, CommandError> {
    words.number("how many bytes", 0..=PACKET_MAX)
}

/// The words up to `times`.
fn text(words: &mut Words<'_>) -> Option<String> {
    let mut text = Vec::new();
    while words.peek().is_some_and(|word| word != "times") {
        text.extend(words.word());
    }
    Some(text.join(" ")).filter(|text| !text.is_empty())
}
