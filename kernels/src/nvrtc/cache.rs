//! Compiled code on disk. A file that is not whole is as good as none.

use super::code::hex;
use super::{Compiled, Image};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// First line of a file; another format gets another number.
const MAGIC: &str = "evenhand cubin 1";

/// A folder of compiled sources, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The cache that the environment asks for: `EVENHAND_CUBIN_CACHE` (a
    /// folder, or `off`), else `evenhand/cubin` in the user's cache folder.
    #[must_use]
    pub fn from_environment() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = match set("EVENHAND_CUBIN_CACHE") {
            Some(off) if off == "off" => None,
            Some(folder) => Some(PathBuf::from(folder)),
            None => set("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")))
                .map(|base| base.join("evenhand/cubin")),
        };
        Self { folder }
    }

    /// A cache in a folder, which need not exist.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(folder.into()),
        }
    }

    /// No cache.
    #[must_use]
    pub fn off() -> Self {
        Self { folder: None }
    }

    /// Where the files are.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Name of what is compiled from these parts; every part counts.
    pub(super) fn key(parts: &[&str]) -> String {
        let mut digest = Sha256::new();
        digest.update(MAGIC);
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        hex(&digest.finalize())
    }

    pub(super) fn load(&self, key: &str, options: &[String]) -> Option<Compiled> {
        let file = std::fs::read(self.path(key)?).ok()?;
        let (image, log) = decode(&file)?;
        Some(Compiled {
            image,
            log,
            options: options.to_vec(),
            cached: true,
        })
    }

    /// Stores; a folder that cannot be written only costs the next run's time.
    pub(super) fn store(&self, key: &str, compiled: &Compiled) {
        if let (Some(folder), Some(path)) = (&self.folder, self.path(key)) {
            let _ = write(folder, &path, &encode(compiled));
        }
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(key))
    }
}

/// Whole or not at all: workers compile the same source at the same time.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = std::fs::write(&temporary, bytes);
    let renamed = written.and_then(|()| std::fs::rename(&temporary, path));
    renamed.inspect_err(|_| {
        let _ = std::fs::remove_file(&temporary);
    })
}

fn encode(compiled: &Compiled) -> Vec<u8> {
    let (log, image) = (compiled.log.as_bytes(), compiled.image.bytes());
    let mut digest = Sha256::new();
    digest.update(log);
    digest.update(image);
    let mut file = format!(
        "{MAGIC}\n{} {} {} {}\n",
        compiled.image.kind(),
        log.len(),
        image.len(),
        hex(&digest.finalize())
    )
    .into_bytes();
    file.extend_from_slice(log);
    file.extend_from_slice(image);
    file
}

fn decode(file: &[u8]) -> Option<(Image, String)> {
    let rest = file.strip_prefix(MAGIC.as_bytes())?.strip_prefix(b"\n")?;
    let end = rest.iter().position(|&b| b == b'\n')?;
    let header = std::str::from_utf8(&rest[..end]).ok()?;
    let body = &rest[end + 1..];
    let mut fields = header.split(' ');
    let kind = fields.next()?;
    let log: usize = fields.next()?.parse().ok()?;
    let image: usize = fields.next()?.parse().ok()?;
    let digest = fields.next()?;
    if body.len() != log.checked_add(image)? || hex(&Sha256::digest(body)) != digest {
        return None;
    }
    let (log, image) = body.split_at(log);
    let image = match kind {
        "cubin" => Image::Cubin(image.to_vec()),
        "ptx" => Image::Ptx(image.to_vec()),
        _ => return None,
    };
    Some((image, String::from_utf8(log.to_vec()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled() -> Compiled {
        Compiled {
            image: Image::Cubin(vec![0, 1, 2, 10]),
            log: "Used 25 registers\n".into(),
            options: vec!["-v".into()],
            cached: false,
        }
    }

    #[test]
    fn what_was_stored_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path().join("a/b"));
        let options = compiled().options;
        assert_eq!(cache.load("k", &options), None);
        cache.store("k", &compiled());
        let back = cache.load("k", &options).unwrap();
        assert!(back.cached);
        assert_eq!(
            Compiled {
                cached: false,
                ..back
            },
            compiled()
        );
        assert_eq!(
            std::fs::read_dir(folder.path().join("a/b"))
                .unwrap()
                .count(),
            1
        );
    }

    #[test]
    fn a_file_that_is_not_whole_is_none() {
        let whole = encode(&compiled());
        assert!(decode(&whole).is_some());
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_none(), "{length}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            // Only the case of the kind's letters or the like could pass; nothing does.
            assert!(decode(&changed).is_none(), "{at}");
        }
    }

    #[test]
    fn every_part_is_in_the_key() {
        let key = Cache::key(&["a", "b"]);
        assert_ne!(key, Cache::key(&["ab", ""]));
        assert_ne!(key, Cache::key(&["a", "c"]));
        assert_eq!(key, Cache::key(&["a", "b"]));
    }
}
