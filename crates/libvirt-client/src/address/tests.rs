use std::path::Path;

use super::*;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn the_driver_sees_the_uri_without_what_is_the_clients() {
    for (text, name) in [
        ("qemu:///system", "qemu:///system"),
        ("qemu:///session", "qemu:///session"),
        ("test:///default", "test:///default"),
        ("xen:///", "xen:///"),
        ("qemu+unix:///system", "qemu:///system"),
        ("qemu:///system?socket=/a/b", "qemu:///system"),
        ("qemu:///system?mode=direct&x=1&socket=/a&y", "qemu:///system?x=1&y"),
        ("qemu:///system?mode=direct;x=1;socket=/a", "qemu:///system?x=1"),
        ("qemu:///system?MODE=legacy&X=1", "qemu:///system?X=1"),
        ("qemu+unix:///?name=qemu:///embed%3Froot=/x", "qemu:///embed?root=/x"),
        ("/run/libvirt/libvirt-sock-ro", "qemu:///system"),
        ("/run/user/1000/libvirt/libvirt-sock", "qemu:///session"),
    ] {
        assert_eq!(address(text).name(), name, "{text}");
        assert_eq!(address(text).to_string(), text);
    }
}

#[test]
fn a_socket_that_is_named_is_taken() {
    assert_eq!(address("/a/sock").socket().unwrap(), Path::new("/a/sock"));
    assert_eq!(address("qemu:///system?socket=/a%20b").socket().unwrap(), Path::new("/a b"));
}

#[test]
fn a_path_that_no_socket_can_have_is_refused() {
    let path = |len: usize| format!("/{}", "x".repeat(len - 1));
    for prefix in ["", "qemu:///system?socket="] {
        assert!(format!("{prefix}{}", path(107)).parse::<Address>().is_ok());
        let error = format!("{prefix}{}", path(108)).parse::<Address>().unwrap_err();
        let said = error.to_string();
        assert!(said.ends_with("is too long for a socket, expected at most 107 bytes"), "{said}");
    }
}

#[test]
fn the_sockets_that_may_be_meant_are_told_in_their_order() {
    let names = |text: &str| {
        let names = address(text).candidates().into_iter().map(|path| path.display().to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    let both = "/run/libvirt/virtqemud-sock-ro /run/libvirt/libvirt-sock-ro";
    assert_eq!(names("qemu:///system"), both);
    assert_eq!(names("qemu:///system?mode=direct"), "/run/libvirt/virtqemud-sock-ro");
    assert_eq!(names("qemu:///system?mode=legacy"), "/run/libvirt/libvirt-sock-ro");
    assert_eq!(names("/a/sock"), "/a/sock");
}

#[test]
fn the_systems_daemon_is_asked_on_its_read_only_socket() {
    let name = address("qemu:///system").socket().unwrap();
    assert!(name.starts_with("/run/libvirt"), "{name:?}");
    assert!(name.to_str().unwrap().ends_with("-sock-ro"), "{name:?}");
}

#[test]
fn another_hosts_daemon_is_named_as_virsh_names_it() {
    for (text, name, peer) in [
        ("qemu://h/system", "qemu:///system", "h:16514"),
        ("qemu+tls://h/system", "qemu:///system", "h:16514"),
        ("qemu+tls:///system", "qemu:///system", "localhost:16514"),
        ("qemu+tls://[2001:db8::7]:1/system?pkipath=/p", "qemu:///system", "[2001:db8::7]:1"),
        ("qemu+tcp://u@192.0.2.7/system?x=1", "qemu:///system?x=1", "192.0.2.7:16509"),
        ("qemu+ssh://root@h/system?keyfile=/k", "qemu:///system", "h by ssh"),
        ("qemu+libssh2://h:22/system?sshauth=agent", "qemu:///system", "h:22 by ssh"),
        ("qemu+ext:///system?command=/c", "qemu:///system", "the command /c"),
        ("xen+tls://h", "xen://", "h:16514"),
        ("test+tcp://h/default?no_verify=1", "test:///default", "h:16509"),
    ] {
        let address = address(text);
        assert_eq!((address.name(), &*address.peer()), (name, peer), "{text}");
        assert!(address.is_remote() && address.socket().is_none(), "{text}");
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn the_user_of_ssh_is_not_libvirts() {
    assert_eq!(address("qemu+tls://nova@h/system").user(), Some("nova"));
    assert_eq!(address("qemu+ssh://root@h/system").user(), None);
}

#[test]
fn ssh_finds_the_socket_by_what_the_uri_says() {
    let proxy = |query: &str| {
        let address = address(&format!("qemu+ssh://h/system{query}"));
        let Transport::Ssh(ssh) = address.transport else { panic!("{address}") };
        ssh.proxy
    };
    let name = || "qemu:///system".to_owned();
    let default = || "/var/run/libvirt/libvirt-sock-ro".into();
    let nc = |netcat: &str, socket| SshProxy::Netcat { netcat: netcat.to_owned(), socket };
    for (query, expected) in [
        ("", SshProxy::Auto { name: name(), socket: default() }),
        ("?proxy=native&socket=/s", SshProxy::Native { name: name() }),
        ("?proxy=netcat", nc("nc", default())),
        ("?socket=/s", nc("nc", "/s".into())),
        ("?netcat=ncat", nc("ncat", default())),
    ] {
        assert_eq!(proxy(query), expected, "{query}");
    }
}

#[test]
fn what_cannot_be_reached_says_what_can() {
    let no_uri = "is not a libvirt URI, expected one like qemu:///system or qemu+tls://host/system, \
                  or the absolute path of a socket";
    for (text, message) in [
        ("", no_uri),
        ("libvirt-sock", no_uri),
        ("qemu:", no_uri),
        ("qemu+tls://-oProxyCommand=x/system", no_uri),
        ("qemu+ssh://-x@h/system", no_uri),
        (
            "qemu+quic://host/system",
            "has the unknown transport quic, expected unix, tls, tcp, ssh or ext",
        ),
        ("qemu+unix://host/system", "names a host, expected none with the transport unix"),
        ("qemu+tls://h:0/system", "has no port that a server can have, expected 1 to 65535"),
        ("qemu+tls://h:99999/system", "has no port that a server can have, expected 1 to 65535"),
        ("qemu:///system?socket=a", "has a relative path in socket=, expected an absolute one"),
        ("qemu+tls://h/?pkipath=a", "has a relative path in pkipath=, expected an absolute one"),
        ("qemu:///system?mode=fast", "has an unknown mode=, expected auto, legacy or direct"),
        ("qemu+tls://h/?no_verify=yes", "has an unknown no_verify=, expected 0 or 1"),
        (
            "qemu+tls://h/?tls_priority=NORMAL",
            "has a tls_priority=, which is of a TLS library that is not used here, expected none: \
             TLS 1.2 and 1.3 are spoken",
        ),
        (
            "qemu+ext:///system",
            "does not say which command leads to libvirtd, expected command=/path of a program",
        ),
        (
            "qemu+ssh://h/system?mode=direct",
            "has mode=direct, expected auto or legacy with the transport ssh, or socket=/path",
        ),
        (
            "qemu+ssh://h/system?proxy=native&netcat=nc",
            "has netcat= with proxy=native, expected one of them",
        ),
    ] {
        let error = text.parse::<Address>().unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` {message}"));
    }
}

/// `ssh -G` says what it makes of them.
#[test]
fn a_path_that_ssh_would_read_as_another_is_refused() {
    for (parameter, of_ssh, expected) in [
        ("keyfile=", &["%25", "$%7B"][..], "% and ${"),
        ("known_hosts=", &["%25", "$%7B", "%22", "%5C"], "%, ${, \" and \\"),
    ] {
        for text in of_ssh {
            let uri = format!("qemu+ssh://h/system?{parameter}/a{text}b");
            let error = uri.parse::<Address>().unwrap_err().to_string();
            let message = format!(
                "`{uri}` has a path in {parameter} that ssh would read as another one, expected one without \
                 {expected}"
            );
            assert_eq!(error, message);
        }
        let uri = format!("qemu+ssh://h/system?{parameter}/a%20$HOME'b%23c%7Bd");
        assert!(uri.parse::<Address>().is_ok(), "{uri}");
    }
}

#[test]
fn a_password_in_a_uri_is_refused_and_not_repeated() {
    for text in [
        "qemu+tls://nova:secret@h/system",
        "qemu+tls://nova%3Asecret@h/system",
        "qemu+tls://nova:sec%72et@h/system",
        // Whatever else is wrong with it.
        "qemu+quic://nova:secret@h/system",
        "qemu+unix://nova:secret@h/system",
        "qemu+tls://nova:secret@h:0/system?pkipath=a",
    ] {
        let error = text.parse::<Address>().unwrap_err();
        assert!(error.to_string().contains("passwords belong in a file"), "{error}");
        assert!(!format!("{error} {error:?}").contains("sec"), "{error:?}");
    }
}

/// It is no URI, and may be meant for one.
#[test]
fn a_password_in_what_is_no_uri_is_not_repeated() {
    for text in [
        "qemu+tls://nova:secret/with@slash and blank@h/system",
        "qemu+tls://nova%3asecret @h:0/system",
        "qemu tls://nova:secret@h",
    ] {
        let error = text.parse::<Address>().unwrap_err();
        let all = format!("{error} {error:?}");
        assert!(all.contains("//nova:…@h"), "{all}");
        assert!(!all.contains("secret") && !all.contains("slash"), "{all}");
    }
}
