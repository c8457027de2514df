//! The server's side of SCRAM (RFC 5802), by the letter of the RFC.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    digest::{self, SHA256, SHA512},
    hmac,
    pbkdf2::{self, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512},
};

/// What a server knows of a user, and how it goes about it.
#[derive(Clone, Copy)]
pub(crate) struct Scram {
    pub(crate) mechanism: &'static str,
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    /// How often the client is told to hash.
    pub(crate) iterations: u32,
}

/// A conversation, after the server's first message.
pub(crate) struct Challenged {
    scram: Scram,
    /// The client's first message without its head.
    client_first: String,
    pub(crate) server_first: String,
    nonce: String,
}

/// What a client has shown.
pub(crate) struct Answered {
    /// Whether it knows the password.
    pub(crate) is_right: bool,
    /// What the server shows in its turn.
    pub(crate) server_last: String,
}

impl Scram {
    pub(crate) const SHA_256: Self =
        Self { mechanism: "SCRAM-SHA-256", user: "nova", password: "", iterations: 4096 };

    /// Takes the client's first message.
    pub(crate) fn challenge(self, client_first: &[u8]) -> Challenged {
        let client_first = str::from_utf8(client_first).unwrap();
        let bare = client_first.strip_prefix("n,,").or(client_first.strip_prefix("y,,")).unwrap();
        let rest = bare.strip_prefix(&format!("n={},r=", self.user)).unwrap();
        let nonce = format!("{rest}of the server");
        let server_first = format!("r={nonce},s={},i={}", STANDARD.encode(SALT), self.iterations);
        Challenged { scram: self, client_first: bare.to_owned(), server_first, nonce }
    }

    fn keys(self) -> (Vec<u8>, Vec<u8>) {
        let (kdf, len) = match self.mechanism {
            "SCRAM-SHA-512" => (PBKDF2_HMAC_SHA512, 64),
            _ => (PBKDF2_HMAC_SHA256, 32),
        };
        let mut salted = vec![0; len];
        let iterations = self.iterations.try_into().unwrap();
        pbkdf2::derive(kdf, iterations, SALT, self.password.as_bytes(), &mut salted);
        (self.hmac(&salted, b"Client Key"), self.hmac(&salted, b"Server Key"))
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let algorithm = match self.mechanism {
            "SCRAM-SHA-512" => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), data).as_ref().to_vec()
    }

    fn hash(self, data: &[u8]) -> Vec<u8> {
        let algorithm = if self.mechanism == "SCRAM-SHA-512" { &SHA512 } else { &SHA256 };
        digest::digest(algorithm, data).as_ref().to_vec()
    }
}

impl Challenged {
    /// Takes the client's last message.
    pub(crate) fn answer(self, client_last: &[u8]) -> Answered {
        let Self { scram, client_first, server_first, nonce } = self;
        let client_last = str::from_utf8(client_last).unwrap();
        let (without_proof, proof) = client_last.split_once(",p=").unwrap();
        assert!(without_proof.ends_with(&format!(",r={nonce}")), "{without_proof}");
        let all = format!("{client_first},{server_first},{without_proof}");
        let (client_key, server_key) = scram.keys();
        let signature = scram.hmac(&scram.hash(&client_key), all.as_bytes());
        let expected: Vec<u8> = client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let is_right = STANDARD.decode(proof).unwrap() == expected;
        let server_last = format!("v={}", STANDARD.encode(scram.hmac(&server_key, all.as_bytes())));
        Answered { is_right, server_last }
    }
}

const SALT: &[u8] = b"salt of this user";
