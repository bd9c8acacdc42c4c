//! A session of `load` is finished, or run again, with what it kept.

use super::*;

/// A folder with two target files whose server is named by a relative path.
struct Site {
    dir: tempfile::TempDir,
    marker: String,
}

impl Site {
    fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let servers = dir.path().join("site");
        std::fs::create_dir(&servers).unwrap();
        std::os::unix::fs::symlink(null_server(), servers.join("server")).unwrap();
        let marker = format!("{name}-{}", std::process::id());
        for name in ["a", "b"] {
            let file = target(&servers, name, &marker, 3_000);
            let text = std::fs::read_to_string(&file).unwrap();
            let relative = text.replace(null_server().to_str().unwrap(), "./server");
            std::fs::write(file, relative).unwrap();
        }
        Self { dir, marker }
    }

    fn servers(&self) -> PathBuf {
        self.dir.path().join("site")
    }

    /// Begins in the folder of the target files.
    fn begin(&self, more: &[&str]) -> Command {
        let both = ["--target", "a.toml", "--against", "b.toml", "--quiet"];
        let mut command = load(self.dir.path(), &[&both[..], more].concat());
        command.current_dir(self.servers());
        command
    }

    fn session(&self) -> PathBuf {
        std::fs::canonicalize(self.dir.path().join("sessions/latest")).unwrap()
    }

    /// Observation files that were written to their end, with what stands in them.
    fn finished(&self) -> Vec<(PathBuf, String)> {
        let Ok(entries) = std::fs::read_dir(self.dir.path().join("sessions/latest/observations"))
        else {
            return Vec::new();
        };
        let files = entries.map(|e| e.unwrap().path());
        let files = files.filter(|path| path.to_string_lossy().contains("-e00-w"));
        files
            .map(|path| (std::fs::read_to_string(&path).unwrap(), path))
            .filter(|(text, _)| text.contains("\"line\":\"end\"") && !text.contains("\"fault\""))
            .map(|(text, path)| (path, text))
            .collect()
    }

    /// Begins a session and kills it when some of its workers are done.
    fn killed(&self) {
        let more = ["--workers", "8", "--blocks", "30", "--max-tokens", "2"];
        let mut child = self.begin(&more).spawn().unwrap();
        let limit = Instant::now() + Duration::from_secs(120);
        while self.finished().len() < 2 {
            assert!(child.try_wait().unwrap().is_none(), "it ended too early");
            assert!(Instant::now() < limit, "nothing was measured");
            std::thread::sleep(Duration::from_millis(10));
        }
        wait_for_servers(&self.marker, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_no_orphans(&self.marker);
    }

    fn resume(&self, more: &[&str]) -> Output {
        let arguments = [&["resume", "--quiet"], more].concat();
        let mut command = evenhand(self.dir.path(), &arguments);
        command.current_dir(self.dir.path()).output().unwrap()
    }
}

#[test]
fn a_killed_session_is_finished_with_what_it_kept() {
    let _shared = shared();
    let site = Site::new("resume");
    site.killed();
    let before = site.finished();

    // Whatever becomes of the files, the session goes on as it began.
    std::fs::write(site.servers().join("a.toml"), "[target]\nname = \"x\"\n").unwrap();
    std::fs::remove_file(site.servers().join("b.toml")).unwrap();
    let output = site.resume(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_no_orphans(&site.marker);

    let record = record(site.dir.path(), &output);
    let measured = &record["measurements"];
    assert_eq!(measured["status"], "complete", "{}", words(&output));
    let workers = measured["experiments"][0]["workers"].as_array().unwrap();
    assert_eq!(workers.len(), 8);
    for worker in workers {
        assert_eq!(worker["outcome"], "complete");
        assert_eq!(worker["facts"][0]["target"], "a");
        assert_eq!(worker["facts"][1]["target"], "b");
    }
    for (path, text) in before {
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "it changed");
    }
    // One worker was cut off: what it had stays beside what took its place.
    let aside = std::fs::read_dir(site.session().join("requests")).unwrap();
    let aside: Vec<PathBuf> = aside
        .map(|e| e.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".interrupted-"))
        .collect();
    assert!(aside.len() <= 3, "{aside:?}");
    for rows in aside {
        evenhand::serving::arm::read_rows(&rows).unwrap();
    }
    assert!(site.session().join("client_proof.2.json").is_file());

    // What is finished is only printed again.
    let again = site.resume(&[]);
    assert_eq!(again.status.code(), Some(0), "{}", words(&again));
    assert!(!site.session().join("client_proof.3.json").exists());
}

#[test]
fn what_is_missing_or_changed_is_named_before_anything_is_measured() {
    let _shared = shared();
    let site = Site::new("refuse");
    site.killed();
    let refused = |more: &[&str], expected: &str| {
        let output = site.resume(more);
        assert_eq!(output.status.code(), Some(6), "{}", words(&output));
        let said = words(&output).replace('\n', " ");
        assert!(said.contains(expected), "{said}");
    };
    let session = site.session();

    let environment = session.join("environment.json");
    let text = std::fs::read_to_string(&environment).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();
    let facts = facts["facts"].as_object().unwrap();
    let mut builds = facts.iter().filter(|(name, _)| name.contains("executable"));
    let digest = builds.next().expect("the build is recorded").1;
    let other = text.replace(digest.as_str().unwrap(), &"0".repeat(64));
    std::fs::write(&environment, other).unwrap();
    refused(&[], "another build");
    std::fs::write(&environment, text).unwrap();

    let copy = session.join("inputs/against.toml");
    let text = std::fs::read_to_string(&copy).unwrap();
    std::fs::write(&copy, text.replace("3000", "4000")).unwrap();
    refused(&[], "against.toml: it was changed since the session began");
    std::fs::remove_file(&copy).unwrap();
    refused(&[], "against.toml: it can't be read");
    std::fs::write(&copy, text).unwrap();

    let aside = site.dir.path().join("aside");
    std::fs::rename(session.join("inputs"), &aside).unwrap();
    refused(&[], "command.json: it can't be read");
    std::fs::rename(&aside, session.join("inputs")).unwrap();

    std::fs::rename(site.servers(), site.dir.path().join("moved")).unwrap();
    refused(&[], "the session was begun in this folder");
    assert_eq!(processes(&site.marker), [], "a server was started");
}

#[test]
fn a_stored_plan_is_run_again_with_what_its_session_kept() {
    let _shared = shared();
    let site = Site::new("again");
    let trace = site.servers().join("trace.csv");
    let times: Vec<String> = (0..16).map(|i| format!("{}\n", i * i)).collect();
    std::fs::write(&trace, format!("timestamp\n{}", times.concat())).unwrap();
    let small = ["--workers", "6", "--blocks", "1", "--max-tokens", "2"];
    let replayed = ["--trace", "trace.csv", "--rate", "60", "--requests", "8"];
    let output = site.begin(&[small, replayed].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    let first = site.session();
    std::fs::remove_file(site.servers().join("a.toml")).unwrap();
    std::fs::remove_file(trace).unwrap();

    let plan = first.join("plan.json");
    let arguments = ["run", "--quiet", "--plan", plan.to_str().unwrap()];
    let output = evenhand(site.dir.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_ne!(site.session(), first);
    let record = record(site.dir.path(), &output);
    assert_eq!(record["plan"]["attempt"], 2);
    assert_eq!(record["measurements"]["status"], "complete");
    assert!(record.to_string().contains("\"attempts\""), "it is counted");
    assert_no_orphans(&site.marker);
}
