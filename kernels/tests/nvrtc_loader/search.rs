//! The order of the search, in folders that only look like CUDA.

use evenhand_kernels::nvrtc::{Nvrtc, NvrtcError, Origin, Search};
use std::fs;
use std::path::{Path, PathBuf};

/// An empty file, with its folders.
fn touch(path: PathBuf) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    path
}

/// Folders with the layouts of a toolkit, a system, CUDA 13 and CUDA 12 wheels.
fn machine(root: &Path) -> Search {
    for lib in [
        "toolkit/lib64",
        "site/nvidia/cu13/lib",
        "site12/nvidia/cuda_nvrtc/lib",
    ] {
        touch(root.join(lib).join("libnvrtc.so.13"));
        touch(root.join(lib).join("libnvrtc-builtins.so.13.0"));
    }
    touch(root.join("system/libnvrtc.so.12"));
    touch(root.join("explicit/libnvrtc.so.13"));
    touch(root.join("toolkit/include/cuda_bf16.h"));
    touch(root.join("site/nvidia/cu13/include/cuda_bf16.h"));
    touch(root.join("site/nvidia/cu13/include/cccl/cuda/std/cstdint"));
    touch(root.join("site12/nvidia/cuda_runtime/include/cuda_bf16.h"));
    Search {
        nvrtc: None,
        wheels: None,
        toolkits: vec![root.join("nothing"), root.join("toolkit")],
        system: vec![root.join("system")],
        site_packages: vec![root.join("site"), root.join("site12")],
    }
}

#[test]
fn toolkits_come_before_the_system_and_wheels_last() {
    let root = tempfile::tempdir().unwrap();
    let search = machine(root.path());
    let found = search.libraries();
    let origins: Vec<Origin> = found.iter().map(|f| f.origin).collect();
    assert_eq!(
        origins,
        [
            Origin::Toolkit,
            Origin::System,
            Origin::SitePackages,
            Origin::SitePackages
        ]
    );
    let toolkit = root.path().join("toolkit");
    assert_eq!(found[0].library, toolkit.join("lib64/libnvrtc.so.13"));
    assert_eq!(
        found[0].builtins,
        Some(toolkit.join("lib64/libnvrtc-builtins.so.13.0"))
    );
    assert_eq!(found[0].includes, [toolkit.join("include")]);
    let cu13 = root.path().join("site/nvidia/cu13/include");
    assert_eq!(found[2].includes, [cu13.clone(), cu13.join("cccl")]);
    assert!(found[3].includes[0].ends_with("cuda_runtime/include"));
}

#[test]
fn what_is_set_explicitly_is_the_only_place() {
    let root = tempfile::tempdir().unwrap();
    let wheels = Search {
        wheels: Some(root.path().join("site/nvidia/cu13")),
        ..machine(root.path())
    };
    let found = wheels.libraries();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].origin, Origin::Wheels);

    for place in ["explicit", "explicit/libnvrtc.so.13"] {
        let both = Search {
            nvrtc: Some(root.path().join(place)),
            ..wheels.clone()
        };
        let found = both.libraries();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].origin, Origin::Nvrtc);
        assert_eq!(
            found[0].library,
            root.path().join("explicit/libnvrtc.so.13")
        );
    }

    let wrong = Search {
        nvrtc: Some(root.path().join("nothing")),
        ..wheels
    };
    assert!(wrong.libraries().is_empty());
    let error = Nvrtc::open(&wrong).err().unwrap().to_string();
    assert!(error.contains("EVENHAND_NVRTC"), "{error}");
    assert!(error.contains("pip install"), "{error}");
}

#[test]
fn the_newest_of_a_folder_is_taken_by_number() {
    let root = tempfile::tempdir().unwrap();
    for version in ["9", "13", "12.9.86"] {
        touch(root.path().join(format!("libnvrtc.so.{version}")));
    }
    touch(root.path().join("libnvrtc.so.13.backup"));
    let search = Search {
        nvrtc: Some(root.path().to_path_buf()),
        ..Search::default()
    };
    assert!(search.libraries()[0].library.ends_with("libnvrtc.so.13"));
}

#[test]
fn a_file_that_is_no_library_is_an_error_with_its_name() {
    let root = tempfile::tempdir().unwrap();
    let search = Search {
        nvrtc: Some(touch(root.path().join("libnvrtc.so.13"))),
        ..Search::default()
    };
    match Nvrtc::open(&search).err() {
        Some(NvrtcError::Open { library, .. }) => {
            assert_eq!(library, root.path().join("libnvrtc.so.13"));
        }
        other => panic!("{other:?}"),
    }
}
