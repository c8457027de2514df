//! A domain's XML, as Nova has libvirt make it.

use std::fmt::{self, Write};

use crate::{
    instance::{BALLOON_PERIOD_SECONDS, Instance},
    nova,
};

/// The XML that `virDomainGetXMLDesc` returns.
pub(crate) fn of(instance: &Instance) -> String {
    let mut xml = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut xml, instance);
    // What libvirt gives a domain when it starts it.
    if !instance.is_active() {
        let is_given = |line: &str| line.contains("<alias name=") || line.contains("dev='tap");
        let lines: Vec<_> = xml.split_inclusive('\n').filter(|line| !is_given(line)).collect();
        xml = lines.concat();
    }
    for (text, other) in &instance.xml {
        xml = xml.replace(text, other);
    }
    xml
}

fn write(xml: &mut String, instance: &Instance) -> fmt::Result {
    let Instance { domain, flavor, .. } = instance;
    let (vcpus, memory) = (flavor.vcpus, flavor.memory_kib());
    match domain.id {
        Some(id) => writeln!(xml, "<domain type='kvm' id='{id}'>")?,
        None => writeln!(xml, "<domain type='kvm'>")?,
    }
    writeln!(xml, "  <name>{}</name>", domain.name)?;
    writeln!(xml, "  <uuid>{}</uuid>", domain.uuid)?;
    writeln!(xml, "  <metadata>")?;
    xml.push_str(&nova::element(instance, "nova:", "    "));
    write!(
        xml,
        "  </metadata>
  <memory unit='KiB'>{memory}</memory>
  <currentMemory unit='KiB'>{memory}</currentMemory>
  <vcpu placement='static'>{vcpus}</vcpu>
  <resource>
    <partition>/machine</partition>
  </resource>
  <sysinfo type='smbios'>
    <system>
      <entry name='manufacturer'>OpenStack Foundation</entry>
      <entry name='product'>OpenStack Nova</entry>
      <entry name='version'>26.2.2</entry>
      <entry name='serial'>{uuid}</entry>
      <entry name='uuid'>{uuid}</entry>
      <entry name='family'>Virtual Machine</entry>
    </system>
  </sysinfo>
  <os>
    <type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>
    <boot dev='hd'/>
    <smbios mode='sysinfo'/>
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <cpu mode='custom' match='exact' check='full'>
    <model fallback='forbid'>Cascadelake-Server</model>
    <topology sockets='{vcpus}' dies='1' cores='1' threads='1'/>
    <feature policy='require' name='hypervisor'/>
  </cpu>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
",
        uuid = domain.uuid,
    )?;
    for disk in 0..instance.disks {
        write_disk(xml, instance, disk)?;
    }
    xml.push_str(CONTROLLERS);
    for interface in 0..instance.interfaces {
        write_interface(xml, instance, interface)?;
    }
    write!(
        xml,
        "    <serial type='pty'>
      <source path='/dev/pts/{number}'/>
      <log file='/var/lib/nova/instances/{uuid}/console.log' append='off'/>
      <target type='isa-serial' port='0'>
        <model name='isa-serial'/>
      </target>
      <alias name='serial0'/>
    </serial>
    <console type='pty' tty='/dev/pts/{number}'>
      <source path='/dev/pts/{number}'/>
      <log file='/var/lib/nova/instances/{uuid}/console.log' append='off'/>
      <target type='serial' port='0'/>
      <alias name='serial0'/>
    </console>
    <input type='mouse' bus='ps2'>
      <alias name='input0'/>
    </input>
    <input type='keyboard' bus='ps2'>
      <alias name='input1'/>
    </input>
    <audio id='1' type='none'/>
    <memballoon model='virtio'>
      <stats period='{BALLOON_PERIOD_SECONDS}'/>
      <alias name='balloon0'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/>
    </memballoon>
  </devices>
  <seclabel type='dynamic' model='dac' relabel='yes'>
    <label>+64055:+64055</label>
    <imagelabel>+64055:+64055</imagelabel>
  </seclabel>
</domain>
",
        number = instance.number,
        uuid = domain.uuid,
    )
}

/// What every machine of this type has.
const CONTROLLERS: &str = "    <controller type='usb' index='0' model='piix3-uhci'>
      <alias name='usb'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x2'/>
    </controller>
    <controller type='pci' index='0' model='pci-root'>
      <alias name='pci.0'/>
    </controller>
";

fn write_disk(xml: &mut String, instance: &Instance, disk: u32) -> fmt::Result {
    // Local disks are copies of an image; volumes come from a SAN as block devices.
    let (kind, format, attribute) =
        if disk == 0 { ("file", "qcow2", "file") } else { ("block", "raw", "dev") };
    let serial = if disk == 0 { instance.domain.uuid } else { instance.volume(disk) };
    let (path, target) = (instance.disk_path(disk), Instance::target(disk));
    let index = disk.saturating_add(1);
    let slot = disk.saturating_add(0x10);
    write!(
        xml,
        "    <disk type='{kind}' device='disk'>
      <driver name='qemu' type='{format}' cache='none'/>
      <source {attribute}='{path}' index='{index}'/>
      <backingStore/>
      <target dev='{target}' bus='virtio'/>
      <serial>{serial}</serial>
      <alias name='virtio-disk{disk}'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x{slot:02x}' function='0x0'/>
    </disk>
"
    )
}

fn write_interface(xml: &mut String, instance: &Instance, interface: u32) -> fmt::Result {
    let [_, a, b, c] = instance.number.to_be_bytes();
    let (tap, slot) = (instance.tap(interface), interface.saturating_add(0x05));
    // 02 is for addresses that nobody bought; fa is Nova's own choice of those.
    let first = 0xfa_u32.saturating_sub(interface.saturating_mul(4));
    write!(
        xml,
        "    <interface type='bridge'>
      <mac address='{first:02x}:16:3e:{a:02x}:{b:02x}:{c:02x}'/>
      <source bridge='br-int'/>
      <target dev='{tap}'/>
      <model type='virtio'/>
      <alias name='net{interface}'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x{slot:02x}' function='0x0'/>
    </interface>
"
    )
}
