//! What arms tell about themselves after their last slot.

mod common;

use common::Subject;

#[test]
fn facts_of_the_end_are_kept_for_arms_here_and_in_other_processes() {
    for (name, apart) in [("counts", false), ("counts_apart", true)] {
        let subject = Subject::new(name);
        subject.bench(&["--seed", "0x5eed"]);
        let record = subject.record();
        let workers = &record.measurements.experiments[0].workers;
        assert!(!workers.is_empty());
        for worker in workers {
            assert!(worker.is_complete(), "{:?}", worker.outcome);
            for (instance, facts) in worker.facts.iter().enumerate() {
                let slots: usize = facts["slots"].parse().unwrap();
                let timed = worker
                    .instance
                    .iter()
                    .filter(|&&i| usize::from(i) == instance);
                // Those of the warm-up too.
                assert!(slots > timed.count(), "{facts:?}");
                assert_eq!(facts["built"], "replaced");
                assert_eq!(facts.contains_key("process"), apart);
            }
        }
    }
}
