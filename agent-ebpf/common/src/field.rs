//! The fields of kernel structures that the kernel half reads, by index into its table of offsets.

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $structure:literal . $member:literal $(| $alternative:literal)*,)*) => {
        /// A field of a kernel structure. Its offset is looked up in the node's own BTF before the load.
        #[repr(u32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field {
            $($(#[$doc])* #[doc = concat!("`", $structure, ".", $member, "`")] $name,)*
        }

        impl Field {
            /// Every field, in the order of the table of offsets.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The structure that it is in.
            #[must_use]
            pub const fn structure(self) -> &'static str {
                match self {
                    $(Self::$name => $structure,)*
                }
            }

            /// The member, and the names that other kernels have for it. A dot leads into a member.
            #[must_use]
            pub const fn members(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$member $(, $alternative)*],)*
                }
            }
        }
    };
}

fields! {
    TaskPid = "task_struct"."pid",
    TaskTgid = "task_struct"."tgid",
    TaskGroupLeader = "task_struct"."group_leader",
    TaskRealParent = "task_struct"."real_parent",
    /// Nanoseconds since boot, suspend included. Before 5.5 it had another name.
    TaskStart = "task_struct"."start_boottime" | "real_start_time",
    TaskCred = "task_struct"."cred",
    TaskComm = "task_struct"."comm",
    TaskFiles = "task_struct"."files",
    TaskFs = "task_struct"."fs",
    TaskMm = "task_struct"."mm",
    TaskSignal = "task_struct"."signal",
    TaskThreadPid = "task_struct"."thread_pid",
    TaskNsproxy = "task_struct"."nsproxy",
    TaskExitCode = "task_struct"."exit_code",
    TaskCgroups = "task_struct"."cgroups",
    /// Only with `CONFIG_AUDIT`.
    TaskLoginuid = "task_struct"."loginuid",
    /// Bit 1 (`TS_COMPAT`) says that the call came by the 32-bit entry. x86 only.
    TaskThreadStatus = "task_struct"."thread_info.status",
    CredEuid = "cred"."euid",
    CredEgid = "cred"."egid",
    FilesFdt = "files_struct"."fdt",
    FdtFd = "fdtable"."fd",
    FdtMaxFds = "fdtable"."max_fds",
    /// Renamed when it became read-only to most of the kernel.
    FilePath = "file"."f_path" | "__f_path",
    FileInode = "file"."f_inode",
    FsPwd = "fs_struct"."pwd",
    VfsmountRoot = "vfsmount"."mnt_root",
    MountVfsmount = "mount"."mnt",
    MountParent = "mount"."mnt_parent",
    MountMountpoint = "mount"."mnt_mountpoint",
    NsproxyMnt = "nsproxy"."mnt_ns",
    /// The mount at the root of the namespace.
    MntNsRoot = "mnt_namespace"."root",
    DentryParent = "dentry"."d_parent",
    DentryName = "dentry"."d_name",
    DentryInode = "dentry"."d_inode",
    /// Renamed in 6.14.
    DentryShortName = "dentry"."d_iname" | "d_shortname",
    InodeNumber = "inode"."i_ino",
    InodeMode = "inode"."i_mode",
    InodeLinks = "inode"."i_nlink",
    InodeSuper = "inode"."i_sb",
    SuperDevice = "super_block"."s_dev",
    MmArgStart = "mm_struct"."arg_start",
    MmArgEnd = "mm_struct"."arg_end",
    SignalLive = "signal_struct"."live",
    SignalTty = "signal_struct"."tty",
    SignalPids = "signal_struct"."pids",
    PidLevel = "pid"."level",
    PidNumbers = "pid"."numbers",
    TtyIndex = "tty_struct"."index",
    TtyDriver = "tty_struct"."driver",
    TtyDriverMajor = "tty_driver"."major",
    TtyDriverMinor = "tty_driver"."minor_start",
    CssSetCgroup = "css_set"."dfl_cgrp",
    CgroupKernfs = "cgroup"."kn",
    KernfsName = "kernfs_node"."name",
    /// Renamed in 6.15.
    KernfsParent = "kernfs_node"."parent" | "__parent",
    BinprmFile = "linux_binprm"."file",
    BinprmFilename = "linux_binprm"."filename",
    RegsNumber = "pt_regs"."orig_ax",
    RegsArg0 = "pt_regs"."di",
    RegsArg1 = "pt_regs"."si",
    RegsArg2 = "pt_regs"."dx",
    RegsArg3 = "pt_regs"."r10",
    RegsCompatArg0 = "pt_regs"."bx",
    RegsCompatArg1 = "pt_regs"."cx",
}

impl Field {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The offset of a field that this kernel does not have.
    pub const MISSING: u32 = u32::MAX;

    /// Without these the sensor cannot tell the truth, and does not start. Without another one, what it gives is
    /// absent.
    #[must_use]
    pub const fn is_required(self) -> bool {
        !matches!(
            self,
            Self::TaskLoginuid
                | Self::TaskThreadStatus
                | Self::TaskNsproxy
                | Self::NsproxyMnt
                | Self::MntNsRoot
                | Self::TaskCgroups
                | Self::CssSetCgroup
                | Self::CgroupKernfs
                | Self::KernfsName
                | Self::KernfsParent
                | Self::SignalTty
                | Self::TtyIndex
                | Self::TtyDriver
                | Self::TtyDriverMajor
                | Self::TtyDriverMinor
        )
    }
}
