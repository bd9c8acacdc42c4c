//! The machine code inside a CUBIN, told apart from everything around it.

use sha2::{Digest, Sha256};

/// A section of an ELF file.
struct Section<'a> {
    name: &'a str,
    bytes: &'a [u8],
}

/// Hex SHA-256 of the code of `entry`, blind to names, line information and
/// everything else that does not run: equal code gives equal hashes.
///
/// It covers the instructions of the kernel, its constants, and the functions
/// and constants that the kernels of a file share. `None` when the file is no
/// CUBIN or has no such kernel.
pub(super) fn of_cubin(cubin: &[u8], entry: &str) -> Option<String> {
    let sections = sections(cubin)?;
    let text = |name: &str| sections.iter().any(|s| s.name == format!(".text.{name}"));
    if !text(entry) {
        return None;
    }
    // Bank 0 of the constants holds the parameters: only kernels have one.
    let is_kernel = |name: &str| {
        let bank = format!(".nv.constant0.{name}");
        sections.iter().any(|s| s.name == bank)
    };
    let mut parts: Vec<(&str, &[u8])> = Vec::new();
    for section in &sections {
        let part = if let Some(function) = section.name.strip_prefix(".text.") {
            if function == entry {
                "kernel"
            } else if is_kernel(function) {
                continue;
            } else {
                "function"
            }
        } else if let Some(rest) = section.name.strip_prefix(".nv.constant") {
            match rest.split_once('.') {
                // Bank 0 is filled at launch; its size follows from the parameters.
                Some((bank, function)) if function == entry && bank != "0" => "constants",
                None => "shared constants",
                _ => continue,
            }
        } else if section.name == ".nv.global.init" {
            "globals"
        } else {
            continue;
        };
        parts.push((part, section.bytes));
    }
    // The order of sections in the file has no meaning.
    parts.sort();
    let mut digest = Sha256::new();
    for (part, bytes) in parts {
        digest.update(part);
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Some(hex(&digest.finalize()))
}

/// Hex SHA-256 of a PTX text without comments and line information.
pub(super) fn of_ptx(ptx: &[u8]) -> String {
    let mut digest = Sha256::new();
    for line in String::from_utf8_lossy(ptx).lines() {
        let code = line.split("//").next().unwrap_or_default().trim();
        if !code.is_empty() && !code.starts_with(".loc") && !code.starts_with(".file") {
            digest.update(code);
            digest.update("\n");
        }
    }
    hex(&digest.finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The sections of a little-endian 64-bit ELF file (System V ABI, chapter 4).
fn sections(file: &[u8]) -> Option<Vec<Section<'_>>> {
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let u16_at = |at: usize| -> Option<usize> {
        Some(u16::from_le_bytes(file.get(at..at.checked_add(2)?)?.try_into().ok()?).into())
    };
    let u32_at = |at: usize| -> Option<usize> {
        Some(u32::from_le_bytes(file.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
    };
    let u64_at = |at: usize| -> Option<usize> {
        usize::try_from(u64::from_le_bytes(
            file.get(at..at.checked_add(8)?)?.try_into().ok()?,
        ))
        .ok()
    };
    let (table, size, count, names) = (u64_at(0x28)?, u16_at(0x3A)?, u16_at(0x3C)?, u16_at(0x3E)?);
    let header = |index: usize| table.checked_add(index.checked_mul(size)?);
    let bytes_of = |index: usize| -> Option<&[u8]> {
        const WITHOUT_BYTES: usize = 8;
        let at = header(index)?;
        if u32_at(at.checked_add(4)?)? == WITHOUT_BYTES {
            return Some(&[]);
        }
        let (offset, length) = (
            u64_at(at.checked_add(0x18)?)?,
            u64_at(at.checked_add(0x20)?)?,
        );
        file.get(offset..offset.checked_add(length)?)
    };
    let strings = bytes_of(names)?;
    (0..count)
        .map(|index| {
            let start = u32_at(header(index)?)?;
            let name = strings.get(start..)?.split(|&b| b == 0).next()?;
            Some(Section {
                name: std::str::from_utf8(name).ok()?,
                bytes: bytes_of(index)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with these sections, as a CUBIN has them.
    fn elf(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut names = vec![0u8];
        let mut body = Vec::new();
        let mut headers = vec![[0u8; 64]];
        let mut add = |name_at: usize, bytes: &[u8]| {
            let mut header = [0u8; 64];
            header[..4].copy_from_slice(&(name_at as u32).to_le_bytes());
            header[4] = 1;
            header[0x18..0x20].copy_from_slice(&(64 + body.len() as u64).to_le_bytes());
            header[0x20..0x28].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            body.extend_from_slice(bytes);
            headers.push(header);
        };
        for (name, bytes) in sections {
            add(names.len(), bytes);
            names.extend_from_slice(name.as_bytes());
            names.push(0);
        }
        add(0, &names);
        let count = headers.len() as u16;
        let mut file = vec![0u8; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[0x28..0x30].copy_from_slice(&(64 + body.len() as u64).to_le_bytes());
        file[0x3A..0x3C].copy_from_slice(&64u16.to_le_bytes());
        file[0x3C..0x3E].copy_from_slice(&count.to_le_bytes());
        file[0x3E..0x40].copy_from_slice(&(count - 1).to_le_bytes());
        file.extend_from_slice(&body);
        for header in headers {
            file.extend_from_slice(&header);
        }
        file
    }

    #[test]
    fn only_what_runs_counts() {
        let plain = elf(&[(".text.a", b"code"), (".nv.constant0.a", b"xx")]);
        let hash = of_cubin(&plain, "a").unwrap();
        let renamed = elf(&[
            (".debug_line", b"lines"),
            (".nv.constant0.b", b"yyy"),
            (".text.b", b"code"),
            (".text.other", b"another kernel"),
            (".nv.constant0.other", b""),
        ]);
        assert_eq!(of_cubin(&renamed, "b").unwrap(), hash);
        let other_code = elf(&[(".text.a", b"cod2"), (".nv.constant0.a", b"xx")]);
        assert_ne!(of_cubin(&other_code, "a").unwrap(), hash);
        let helper = elf(&[
            (".text.a", b"code"),
            (".nv.constant0.a", b""),
            (".text.f", b"f"),
        ]);
        assert_ne!(of_cubin(&helper, "a").unwrap(), hash);
        let table = elf(&[
            (".text.a", b"code"),
            (".nv.constant0.a", b""),
            (".nv.constant3", b"t"),
        ]);
        assert_ne!(of_cubin(&table, "a").unwrap(), hash);
    }

    #[test]
    fn what_is_no_cubin_has_no_hash() {
        let good = elf(&[(".text.a", b"code")]);
        assert_eq!(of_cubin(&good, "b"), None);
        assert_eq!(of_cubin(b"", "a"), None);
        // No prefix of a file may panic.
        for length in 0..good.len() {
            let _ = of_cubin(&good[..length], "a");
        }
    }

    #[test]
    fn lines_of_ptx_do_not_count() {
        let a = of_ptx(b"// NVRTC\n.loc 1 2 3\n\tadd.f32 %f1, %f2, %f3;\n");
        assert_eq!(
            a,
            of_ptx(b".file 1 \"x.cu\"\nadd.f32 %f1, %f2, %f3; // sum\n")
        );
        assert_ne!(a, of_ptx(b"add.f32 %f1, %f2, %f4;\n"));
    }
}
