//! Several metrics of the same slots, from the bench target to the report.

mod common;

use common::Subject;
use evenhand_harness::claim::Outcome;
use evenhand_harness::gate::Code;

#[test]
fn several_metrics_are_measured_judged_and_printed() {
    let subject = Subject::new("metrics");
    let finished = subject.bench(&["--workers", "8"]);
    let record = subject.record();
    let plan = &record.plan.targets[0].experiments[0];
    assert_eq!((plan.iterations, plan.blocks, plan.cold), (3, 4, true));
    assert_eq!(plan.secondary.len(), 2);
    let worker = &record.measurements.experiments[0].workers[0];
    assert_eq!(worker.warmup_slots, 0, "cold arms are not warmed up");
    assert_eq!(worker.secondary.len(), 2);
    assert!(worker.secondary[0].iter().all(|v| *v == Some(32.0)));

    let judged = &record.judgement.experiments[0];
    assert_eq!(judged.claims[0].outcome, Some(Outcome::Regression));
    let mismatch = |r: &evenhand_harness::gate::Reason| r.code == Code::WorkUnitMismatch;
    assert!(!judged.claims[0].reasons.iter().any(mismatch));
    assert_eq!(judged.secondary[0].metric, "items");
    assert_eq!(judged.secondary[1].claims[0].metric, "rest");

    // Every line about an arm says what it ran on.
    for line in finished.stdout.lines().filter(|l| l.contains("  a")) {
        assert!(line.contains("[pretended]"), "{line}");
    }
    assert!(finished.stdout.contains("metrics/two on pretended"));
    assert!(judged.claims[0].sentence.contains("wall_time on pretended"));
}
