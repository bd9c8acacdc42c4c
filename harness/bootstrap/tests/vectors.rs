//! Known answers from numpy and SciPy.

use bootstrap::{BootstrapDistribution, JointResamples, acceleration_of_mean, exact, mean, normal};
use serde_json::Value;

fn cases(kind: &str) -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/reference/stats_vectors.json"
    );
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases: Vec<Value> = document["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["kind"] == kind)
        .cloned()
        .collect();
    assert!(!cases.is_empty(), "no case of kind {kind}");
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn rows(value: &Value) -> Vec<Vec<usize>> {
    let row = |r: &Value| {
        r.as_array()
            .unwrap()
            .iter()
            .map(|i| i.as_u64().unwrap() as usize)
            .collect()
    };
    value.as_array().unwrap().iter().map(row).collect()
}

#[track_caller]
fn agrees(case: &Value, field: &str, got: f64) {
    let want = case["expected"][field]
        .as_f64()
        .unwrap_or_else(|| panic!("{field} in {}", case["id"]));
    let (abs, rel) = (
        case["tol"]["abs"].as_f64().unwrap(),
        case["tol"]["rel"].as_f64().unwrap(),
    );
    assert!(
        (got - want).abs() <= abs + rel * want.abs(),
        "{} {field}: got {got}, want {want}",
        case["id"]
    );
}

#[test]
fn quantiles() {
    for case in cases("quantile") {
        let x = numbers(&case["inputs"]["x"]);
        for (p, want) in numbers(&case["inputs"]["p"])
            .into_iter()
            .zip(numbers(&case["expected"]["q"]))
        {
            let got = bootstrap::quantile(&x, p).unwrap();
            assert!(
                (got - want).abs() <= 1e-12 * (1.0 + want.abs()),
                "{} {p}: {got} {want}",
                case["id"]
            );
        }
    }
}

#[test]
fn normal_distribution() {
    for case in cases("normal") {
        let (p, z) = (
            numbers(&case["inputs"]["p"]),
            numbers(&case["expected"]["ppf"]),
        );
        for (p, z) in p.into_iter().zip(z) {
            assert!(
                (normal::quantile(p) - z).abs() <= 1e-14 * (1.0 + z.abs()),
                "{p}"
            );
            assert!((normal::cdf(z) - p).abs() <= 1e-14, "{z}");
        }
    }
}

#[test]
fn accelerations() {
    for case in cases("bca_accel") {
        if let Some(a) = case["inputs"].get("a") {
            let (a, b) = (numbers(a), numbers(&case["inputs"]["b"]));
            let got = JointResamples::acceleration_of_means(&[&a, &b], |m| libm::log(m[1] / m[0]))
                .unwrap();
            agrees(&case, "accel", got);
        } else {
            agrees(
                &case,
                "a",
                acceleration_of_mean(&numbers(&case["inputs"]["x"])).unwrap(),
            );
        }
    }
}

#[test]
fn intervals_from_given_rows() {
    for case in cases("bca_ci") {
        let x = numbers(&case["inputs"]["x"]);
        let resamples =
            JointResamples::from_rows(x.len(), &rows(&case["inputs"]["index"])).unwrap();
        let means = resamples.means(&x).unwrap();
        let a = acceleration_of_mean(&x).unwrap();
        agrees(&case, "theta", means.observed());
        agrees(&case, "z0", means.z0());
        agrees(&case, "accel", a);
        let (alpha1, alpha2) = means.bca_probabilities(0.95, a).unwrap();
        agrees(&case, "alpha1", alpha1);
        agrees(&case, "alpha2", alpha2);
        for means in [means.clone(), means.sorted()] {
            let (bca, pct, basic) = (
                means.bca(0.95, a).unwrap(),
                means.percentile(0.95).unwrap(),
                means.basic(0.95).unwrap(),
            );
            agrees(&case, "lo", bca.lo);
            agrees(&case, "hi", bca.hi);
            agrees(&case, "pct_lo", pct.lo);
            agrees(&case, "pct_hi", pct.hi);
            agrees(&case, "basic_lo", basic.lo);
            agrees(&case, "basic_hi", basic.hi);
        }
    }
}

#[test]
fn bootstrap_t_from_given_rows() {
    for case in cases("bootstrap_t") {
        let x = numbers(&case["inputs"]["x"]);
        let resamples =
            JointResamples::from_rows(x.len(), &rows(&case["inputs"]["index"])).unwrap();
        let studentised = resamples.studentised(&x).unwrap();
        agrees(&case, "t_lo", studentised.pivots().quantile(0.025));
        agrees(&case, "t_hi", studentised.pivots().quantile(0.975));
        let ci = studentised.interval(0.95).unwrap();
        agrees(&case, "lo", ci.lo);
        agrees(&case, "hi", ci.hi);
    }
}

#[test]
fn all_resamples() {
    for case in cases("exact_bootstrap") {
        let x = numbers(&case["inputs"]["x"]);
        let atoms = exact::replicates(&x).unwrap();
        agrees(&case, "atoms", atoms.len() as f64);
        agrees(&case, "min", atoms.values()[0]);
        agrees(&case, "max", atoms.values()[atoms.len() - 1]);
        agrees(
            &case,
            "prob_min",
            atoms.weights().next().unwrap() as f64 / atoms.total() as f64,
        );
        agrees(&case, "z0", atoms.z0());
        agrees(&case, "accel", acceleration_of_mean(&x).unwrap());
        agrees(&case, "sd", atoms.standard_error());
        let (pct, bca) = (
            exact::percentile(&x, 0.95).unwrap(),
            exact::bca(&x, 0.95).unwrap(),
        );
        agrees(&case, "pct_lo", pct.lo);
        agrees(&case, "pct_hi", pct.hi);
        agrees(&case, "bca_lo", bca.lo);
        agrees(&case, "bca_hi", bca.hi);
    }
}

/// The three ways to the same distribution meet.
#[test]
fn schemes_agree() {
    let x = [
        0.7532, 0.9371, 1.0517, 1.5074, 0.9613, 1.0061, 1.2926, 0.3812, 1.7,
    ];
    let stream = || bootstrap::Stream::new(3, "schemes");
    for level in [0.9, 0.95, 0.99] {
        let all = exact::bca(&x, level).unwrap();
        let grid = bootstrap::fourier::bca(&x, level).unwrap();
        let drawn = mean::bca(&x, level, 200_000, &mut stream()).unwrap();
        let near = |a: f64, b: f64, part: f64| {
            assert!(
                (a - b).abs() < part * all.width(),
                "{level}: {all} {grid} {drawn}"
            )
        };
        near(grid.lo, all.lo, 0.001);
        near(grid.hi, all.hi, 0.001);
        near(drawn.lo, all.lo, 0.02);
        near(drawn.hi, all.hi, 0.02);
        let (t, all_t) = (
            mean::bootstrap_t(&x, level, 200_000, &mut stream()).unwrap(),
            exact::bootstrap_t(&x, level).unwrap(),
        );
        assert!(
            (t.lo - all_t.lo).abs() < 0.03 * all_t.width()
                && (t.hi - all_t.hi).abs() < 0.03 * all_t.width(),
            "{t} {all_t}"
        );
    }
}
