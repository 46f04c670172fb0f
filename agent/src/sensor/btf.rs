//! Offsets of kernel fields, from the node's own BTF.
//!
//! The format: `Documentation/bpf/btf.rst` of the kernel. Only what leads from the name of a structure to the offset of
//! a member is read; everything is checked, since a broken file must end in an error and not in a panic.

use std::{collections::HashMap, path::Path};

use holdfast_common::Field;

/// Where the kernel shows its types. Needs `CONFIG_DEBUG_INFO_BTF`.
pub(super) const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;
/// Kinds of types (`include/uapi/linux/btf.h`).
const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
/// Kinds that stand for another type: typedef, volatile, const, restrict, type tag.
const KIND_ALIASES: [u32; 5] = [8, 9, 10, 11, 18];
/// Structures without a name nest a few deep, aliases too. A bound, so that a file that loops ends.
const MAX_DEPTH: u32 = 16;

/// What can be wrong with BTF.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error(
        "cannot read {path}: Holdfast needs a kernel built with CONFIG_DEBUG_INFO_BTF=y (most distributions since 2021)"
    )]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not of the form that is documented.
    #[error("the BTF is damaged: {0}")]
    Damaged(&'static str),
    /// Fields that the sensor cannot do without.
    #[error("this kernel lacks what the sensor needs: {}", .0.join(", "))]
    MissingFields(Vec<String>),
}

/// The types of a kernel.
pub(super) struct Btf {
    data: Vec<u8>,
    strings: usize,
    /// Where each type begins, by id. Id 0 is `void`.
    starts: Vec<u32>,
}

impl Btf {
    /// Reads the types of the running kernel.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Damaged`].
    pub(super) fn of_kernel() -> Result<Self, Error> {
        let path = Path::new(KERNEL_BTF);
        let data =
            std::fs::read(path).map_err(|source| Error::Read { path: path.display().to_string(), source })?;
        Self::parse(data)
    }

    /// Takes the bytes of a BTF file.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(super) fn parse(data: Vec<u8>) -> Result<Self, Error> {
        let word =
            |at: usize| u32_at(&data, at).map(|word| word as usize).ok_or(Error::Damaged("short header"));
        if u32_at(&data, 0).map(|word| word as u16) != Some(MAGIC) {
            return Err(Error::Damaged("wrong magic number or byte order"));
        }
        let header = word(4)?;
        let types = header.checked_add(word(8)?).ok_or(Error::Damaged("types beyond the end"))?;
        let types_end = types.checked_add(word(12)?).ok_or(Error::Damaged("types beyond the end"))?;
        let strings = header.checked_add(word(16)?).ok_or(Error::Damaged("strings beyond the end"))?;
        if types_end > data.len() || strings > data.len() {
            return Err(Error::Damaged("sections beyond the end"));
        }
        let mut starts = vec![0];
        let mut at = types;
        while at < types_end {
            starts.push(at as u32);
            let info = u32_at(&data, at + 4).ok_or(Error::Damaged("short type"))?;
            at += 12 + trailing_bytes(info).ok_or(Error::Damaged("unknown kind of type"))?;
        }
        Ok(Self { data, strings, starts })
    }

    /// The offset of every [`Field`], [`Field::MISSING`] for those that this kernel does not have.
    ///
    /// # Errors
    /// [`Error::MissingFields`] with all that the sensor needs and that are not there.
    pub(super) fn offsets(&self) -> Result<[u32; Field::COUNT], Error> {
        let structures = self.structures();
        let mut offsets = [Field::MISSING; Field::COUNT];
        let mut missing = Vec::new();
        for (slot, field) in offsets.iter_mut().zip(Field::ALL) {
            let found = structures
                .get(field.structure().as_bytes())
                .and_then(|id| field.members().iter().find_map(|member| self.offset_of(*id, member)));
            match found {
                Some(offset) => *slot = offset,
                None if field.is_required() => {
                    missing.push(format!("{}.{}", field.structure(), field.members()[0]));
                }
                None => {}
            }
        }
        // The kernel half reads these members in one piece.
        for (first, second, distance, piece) in [
            (Field::DentryParent, Field::DentryName, 8, "dentry.d_name right behind dentry.d_parent"),
            (Field::DentryParent, Field::DentryInode, 24, "dentry.d_inode right behind dentry.d_name"),
            (Field::DentryParent, Field::DentryShortName, 32, "dentry.d_iname right behind dentry.d_inode"),
            (
                Field::MountParent,
                Field::MountMountpoint,
                8,
                "mount.mnt_mountpoint right behind mount.mnt_parent",
            ),
        ] {
            if offsets[second as usize] != offsets[first as usize].wrapping_add(distance) {
                missing.push(piece.to_owned());
            }
        }
        if missing.is_empty() { Ok(offsets) } else { Err(Error::MissingFields(missing)) }
    }

    /// The ids of the structures that fields are in, by name. The first definition of a name wins.
    fn structures(&self) -> HashMap<&'static [u8], u32> {
        let wanted: HashMap<&[u8], &'static [u8]> = Field::ALL
            .iter()
            .map(|field| (field.structure().as_bytes(), field.structure().as_bytes()))
            .collect();
        let mut found = HashMap::new();
        for (id, start) in self.starts.iter().enumerate().skip(1) {
            let Some(info) = u32_at(&self.data, *start as usize + 4) else { continue };
            // A structure without members is a declaration.
            if kind(info) != KIND_STRUCT || count(info) == 0 {
                continue;
            }
            if let Some(name) = self.name_at(*start as usize).and_then(|name| wanted.get(name)) {
                found.entry(*name).or_insert(id as u32);
            }
        }
        found
    }

    /// The offset in bytes of a member; a dot leads into a member.
    fn offset_of(&self, id: u32, path: &str) -> Option<u32> {
        let mut id = id;
        let mut bits = 0;
        for name in path.split('.') {
            let (at, member_type) = self.member(id, name.as_bytes(), 0)?;
            bits += at;
            id = member_type;
        }
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// The offset in bits and the type of a member, also of one in a structure or union without a name.
    fn member(&self, id: u32, name: &[u8], depth: u32) -> Option<(u32, u32)> {
        if depth > MAX_DEPTH {
            return None;
        }
        let start = *self.starts.get(id as usize)? as usize;
        let info = u32_at(&self.data, start + 4)?;
        if KIND_ALIASES.contains(&kind(info)) {
            return self.member(u32_at(&self.data, start + 8)?, name, depth + 1);
        }
        if ![KIND_STRUCT, KIND_UNION].contains(&kind(info)) {
            return None;
        }
        for index in 0..count(info) {
            let at = start + 12 + 12 * index;
            let member_type = u32_at(&self.data, at + 4)?;
            let word = u32_at(&self.data, at + 8)?;
            // With the flag set the upper byte is the width of a bit field.
            let bits = if info >> 31 == 1 { word & 0x00ff_ffff } else { word };
            let member_name = self.name_at(at)?;
            if member_name == name {
                return Some((bits, member_type));
            }
            if member_name.is_empty()
                && let Some((inner, member_type)) = self.member(member_type, name, depth + 1)
            {
                return Some((bits + inner, member_type));
            }
        }
        None
    }

    /// The name whose offset is the word at `at`.
    fn name_at(&self, at: usize) -> Option<&[u8]> {
        let start = self.strings.checked_add(u32_at(&self.data, at)? as usize)?;
        let rest = self.data.get(start..)?;
        rest.iter().position(|byte| *byte == 0).map(|end| &rest[..end])
    }
}

fn kind(info: u32) -> u32 {
    info >> 24 & 0x1f
}

fn count(info: u32) -> usize {
    (info & 0xffff) as usize
}

/// How many bytes follow the twelve that every type has.
fn trailing_bytes(info: u32) -> Option<usize> {
    Some(match kind(info) {
        // pointer, forward, the aliases, function, float
        2 | 7..=12 | 16 | 18 => 0,
        // integer, variable, declaration tag
        1 | 14 | 17 => 4,
        KIND_ARRAY => 12,
        KIND_STRUCT | KIND_UNION => 12 * count(info),
        // enumeration, function prototype
        6 | 13 => 8 * count(info),
        // data section, 64-bit enumeration
        15 | 19 => 12 * count(info),
        _ => return None,
    })
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `struct outer { u32 a; union { u32 b; struct inner c; }; }` and `struct inner { u16 x; u16 y; }`.
    fn sample() -> Vec<u8> {
        let strings = b"\0u32\0outer\0a\0b\0c\0inner\0x\0y\0";
        let at = |name: &str| {
            let needle = [b"\0", name.as_bytes(), b"\0"].concat();
            strings.windows(needle.len()).position(|window| window == needle).expect("in the table") as u32
                + 1
        };
        let mut types: Vec<u32> = vec![at("u32"), 1 << 24, 4, 32];
        types.extend([at("inner"), KIND_STRUCT << 24 | 2, 4, at("x"), 1, 0, at("y"), 1, 16]);
        types.extend([0, KIND_UNION << 24 | 2, 4, at("b"), 1, 0, at("c"), 2, 0]);
        types.extend([at("outer"), KIND_STRUCT << 24 | 2, 8, at("a"), 1, 0, 0, 3, 32]);
        let types: Vec<u8> = types.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let mut data = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32] {
            data.extend(word.to_ne_bytes());
        }
        data.extend(types);
        data.extend(strings);
        data
    }

    #[test]
    fn a_member_is_found_in_nested_structures_without_a_name() {
        let btf = Btf::parse(sample()).expect("whole");
        assert_eq!(btf.starts.len(), 5);
        assert_eq!(btf.offset_of(4, "a"), Some(0));
        assert_eq!(btf.offset_of(4, "b"), Some(4));
        assert_eq!(btf.offset_of(4, "c.y"), Some(6));
        assert_eq!(
            btf.offset_of(4, "y"),
            None,
            "a member of a member with a name is not one of the outer structure"
        );
    }

    #[test]
    fn every_required_field_is_named_when_it_is_missing() {
        let error =
            Btf::parse(sample()).expect("whole").offsets().expect_err("no task_struct here").to_string();
        assert!(error.contains("task_struct.tgid") && error.contains("dentry.d_parent"), "{error}");
        assert!(!error.contains("loginuid"), "{error}");
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_an_error_or_types_but_never_a_panic(at in 0usize..220, byte: u8, cut in 0usize..220) {
            let mut data = sample();
            let len = data.len();
            data[at % len] = byte;
            data.truncate(len.max(1) - cut % len);
            if let Ok(btf) = Btf::parse(data) {
                let _ = btf.offsets();
                for id in 0..6 {
                    let _ = btf.offset_of(id, "c.y");
                }
            }
        }
    }
}
