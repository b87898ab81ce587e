"""What the guest is made of: packages, users, settings, machine. Text only; `image` builds it again when a value changes.

A small Debian with one ordinary user, the owner, who sits at it (logged in on tty1, which is what `uaccess` asks for) and may
use sudo, and another, the visitor, who only ever comes through ssh. The owner has a virtual environment with the packages that
this project needs, but nothing of this project itself: that is installed by the tests.
"""

SUITE = "bookworm"
PYTHON = "3.11"  # of that suite
ARCHITECTURE = "amd64"
KERNEL = "linux-image-amd64"
PACKAGES = (
    KERNEL,
    "acl",
    "curl",
    "dbus-user-session",
    "initramfs-tools",
    "kmod",
    "libhidapi-libusb0",
    "libpam-systemd",
    "nodejs",
    "openssh-server",
    "playerctl",
    "procps",
    "python3-venv",
    "sudo",
    "systemd-sysv",
    "udev",
    "usbip",
)
DISK = "1600M"

OWNER, VISITOR = "owner", "visitor"
ADDRESS = "10.0.2.15"  # that QEMU's user network forwards to
WHEELS = "/var/tmp/wheels"
CLIENTS = "/opt/clients"  # other programs for a deck, see clients.py
NODE_CLIENT = "@elgato-stream-deck/node@7.6.3"
NODE_CLIENT_BEFORE = "2026-11-28"  # the newest packages of that day, so that each image has the same
PYTHON_CLIENT = "streamdeck==0.10.0"
OPENED = "/run/opened"  # where the guest's browser records the pages that it opens

# No KVM, so that it is the same wherever there is a processor.
MACHINE = ("-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", "896M", "-vga", "std")
# Without `no_timer_check` the kernel panics when the emulator is too slow on a busy machine for the test of its timer.
KERNEL_WORDS = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 no_timer_check"

# Drivers of hardware that the guest does not have; most of the kernel package's size.
UNUSED = (
    "/lib/modules/*/kernel/sound/*",
    "/lib/modules/*/kernel/drivers/ata/*",
    *(
        f"/lib/modules/*/kernel/drivers/{room}/*"
        for room in ("gpu", "iio", "infiniband", "isdn", "media", "mmc", "mtd", "scsi")
    ),
    *(f"/lib/modules/*/kernel/drivers/net/{room}/*" for room in ("ethernet", "wireless", "wan", "usb", "can")),
    *(
        f"/lib/modules/*/kernel/fs/{room}/*"
        for room in ("btrfs", "ceph", "cifs", "gfs2", "ocfs2", "xfs", "f2fs", "nfs", "nfsd")
    ),
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
)

# Runs before the packages are configured. `$1`: the guest's root.
BEFORE = """\
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
echo MODULES=list > "$1/etc/initramfs-tools/conf.d/guest"
printf '%s\\n' virtio_pci virtio_blk ext4 > "$1/usr/share/initramfs-tools/modules.d/guest"
"""

# Runs when they are. `$1`: the guest's root, where WHEELS has what this project needs. PUBLIC_KEY lets the tests in.
AFTER = f"""\
set -eu
cd "$1"
echo guest > etc/hostname
echo '127.0.0.1 localhost guest' > etc/hosts
echo '/dev/vda / ext4 noatime 0 1' > etc/fstab
printf '[Match]\\nName=eth0\\n[Network]\\nAddress={ADDRESS}/24\\n' > etc/systemd/network/guest.network
chroot . systemctl --quiet enable systemd-networkd ssh
chroot . systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \\
  e2scrub_reap.service fstrim.timer logrotate.timer systemd-networkd-wait-online.service
echo vhci-hcd > etc/modules-load.d/guest.conf
echo 'UseDNS no' > etc/ssh/sshd_config.d/guest.conf

for name in {OWNER} {VISITOR}; do
  chroot . useradd --create-home --shell /bin/bash "$name"
  chroot . install -d -m 700 -o "$name" -g "$name" "/home/$name/.ssh"
  echo "$PUBLIC_KEY" > "home/$name/.ssh/authorized_keys"
done
echo '{OWNER} ALL=(ALL:ALL) NOPASSWD: ALL' > etc/sudoers.d/owner

chroot . runuser -u {OWNER} -- sh -c 'cd && python3 -m venv app &&
  app/bin/pip install --quiet --no-index --find-links {WHEELS} --requirement {WHEELS}/requirements.txt'
rm -r .{WHEELS}

mkdir -p etc/systemd/system/getty@tty1.service.d
cat > etc/systemd/system/getty@tty1.service.d/guest.conf <<'unit'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin {OWNER} --noclear %I linux
unit

cat > usr/local/bin/xdg-open <<'program'
#!/bin/sh
echo "$1" >> {OPENED}
program
chmod 755 usr/local/bin/xdg-open
echo 'f {OPENED} 0666' > etc/tmpfiles.d/guest.conf
"""
