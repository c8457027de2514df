//! The errors that the daemon answers with.

use libvirt_wire::{Uuid, xdr::Writer};

/// A `remote_error`, as libvirt makes one of a format and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: i32,
    /// `virErrorDomain`: which part of libvirt says it.
    domain: i32,
    /// The format that the code has, with `%s` where the text goes.
    format: &'static str,
    text: String,
}

/// What a call comes to: the payload of its reply, or an error.
pub(crate) type Outcome = Result<Vec<u8>, Refusal>;

impl Refusal {
    /// An error of any code, for a fault that was ordered.
    pub(crate) fn ordered(code: i32, text: Option<String>) -> Self {
        let (domain, format, usual) = match code {
            38 => (FROM_RPC, "%s", "Cannot write data: Broken pipe"),
            3 => (
                FROM_DOMAIN,
                "this function is not supported by the connection driver: %s",
                "virConnectListAllStoragePools",
            ),
            39 => (FROM_RPC, "%s", "authentication required"),
            42 => (FROM_QEMU, "Domain not found: %s", "no domain with matching uuid"),
            55 => (FROM_DOMAIN, "Requested operation is not valid: %s", "domain is not running"),
            68 => (
                FROM_QEMU,
                "Timed out during operation: %s",
                "cannot acquire state change lock (held by monitor=remoteDispatchConnectGetAllDomainStats)",
            ),
            88 => (FROM_ACCESS, "access denied: %s", "'domain' denied access"),
            _ => (FROM_QEMU, "%s", "ordered by a command"),
        };
        Self { code, domain, format, text: text.unwrap_or_else(|| usual.to_owned()) }
    }

    /// Whoever asks has not said which driver it wants.
    pub(crate) fn not_open() -> Self {
        Self::internal("hypervisor connection not open")
    }

    /// `VIR_ERR_INTERNAL_ERROR`
    pub(crate) fn internal(text: impl Into<String>) -> Self {
        Self { code: 1, domain: FROM_RPC, format: "internal error: %s", text: text.into() }
    }

    /// `VIR_ERR_RPC`
    pub(crate) fn rpc(text: impl Into<String>) -> Self {
        Self { code: 39, domain: FROM_RPC, format: "%s", text: text.into() }
    }

    /// Arguments that end early or hold what they must not.
    pub(crate) fn undecodable() -> Self {
        Self::rpc("Unable to decode message payload")
    }

    /// `VIR_ERR_NO_CONNECT`
    pub(crate) fn no_driver(name: &str) -> Self {
        let format = "no connection driver available for %s";
        Self { code: 5, domain: 0, format, text: name.to_owned() }
    }

    /// `VIR_ERR_NO_SUPPORT`
    pub(crate) fn no_support(function: &str) -> Self {
        let format = "this function is not supported by the connection driver: %s";
        Self { code: 3, domain: FROM_DOMAIN, format, text: function.to_owned() }
    }

    /// `VIR_ERR_OPERATION_DENIED`
    pub(crate) fn read_only(text: String) -> Self {
        Self { code: 29, domain: FROM_DOMAIN, format: "operation forbidden: %s", text }
    }

    /// `VIR_ERR_NO_DOMAIN`; `name` is what the caller called it.
    pub(crate) fn no_domain(uuid: Uuid, name: &str) -> Self {
        Self::not_found(format!("no domain with matching uuid '{uuid}' ({name})"))
    }

    /// `VIR_ERR_NO_DOMAIN`
    pub(crate) fn not_found(text: String) -> Self {
        Self { code: 42, domain: FROM_QEMU, format: "Domain not found: %s", text }
    }

    /// `VIR_ERR_NO_STORAGE_POOL`; `name` is what the caller called it.
    pub(crate) fn no_pool(uuid: Uuid, name: &str) -> Self {
        let text = format!("no storage pool with matching uuid '{uuid}' ({name})");
        Self { code: 49, domain: FROM_STORAGE, format: "Storage pool not found: %s", text }
    }

    /// `VIR_ERR_OPERATION_INVALID`
    pub(crate) fn not_running() -> Self {
        Self::ordered(55, None)
    }

    /// `VIR_ERR_ARGUMENT_UNSUPPORTED`
    pub(crate) fn unsupported(text: String) -> Self {
        Self { code: 74, domain: FROM_QEMU, format: "argument unsupported: %s", text }
    }

    /// `VIR_ERR_NO_DOMAIN_METADATA`
    pub(crate) fn no_metadata() -> Self {
        let text = "Requested metadata element is not present".to_owned();
        Self { code: 80, domain: FROM_DOMAIN, format: "metadata not found: %s", text }
    }

    /// Returns the payload of the reply.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let Self { code, domain, format, text } = self;
        let mut writer = Writer::default();
        writer.i32(*code);
        writer.i32(*domain);
        writer.optional_string(Some(&format.replacen("%s", text, 1)));
        writer.i32(LEVEL_ERROR);
        // The virtual machine: libvirtd never names it here.
        writer.u32(0);
        writer.optional_string(Some(format));
        writer.optional_string(Some(text));
        writer.optional_string(None);
        writer.i32(-1);
        writer.i32(-1);
        // The network.
        writer.u32(0);
        writer.into_bytes()
    }
}

/// `VIR_ERR_ERROR`
const LEVEL_ERROR: i32 = 2;
/// `VIR_FROM_RPC`
const FROM_RPC: i32 = 7;
/// `VIR_FROM_QEMU`
const FROM_QEMU: i32 = 10;
/// `VIR_FROM_STORAGE`
const FROM_STORAGE: i32 = 18;
/// `VIR_FROM_DOMAIN`
const FROM_DOMAIN: i32 = 20;
/// `VIR_FROM_ACCESS`
const FROM_ACCESS: i32 = 55;
