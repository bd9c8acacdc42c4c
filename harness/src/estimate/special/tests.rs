use super::*;
use statrs::distribution::{
    Binomial, ChiSquared, ContinuousCDF, DiscreteCDF, FisherSnedecor, StudentsT,
};
use statrs::function::beta::beta_reg;

fn close(got: f64, want: f64, rel: f64) {
    assert!(
        (got - want).abs() <= rel * want.abs(),
        "{got} is not {want}"
    );
}

const DF: [f64; 9] = [1.0, 2.0, 2.5, 4.0, 7.0, 11.0, 35.0, 99.0, 999.0];

#[test]
fn agrees_with_statrs() {
    for df in DF {
        let t = StudentsT::new(0.0, 1.0, df).unwrap();
        let chi = ChiSquared::new(df).unwrap();
        for x in [-30.0, -2.1, -0.3, 0.01, 0.7, 1.96, 5.0, 40.0] {
            close(student_t_cdf(x, df), t.cdf(x), 1e-9);
            if x > 0.0 {
                close(chi_square_cdf(x, df), chi.cdf(x), 1e-9);
                let f = FisherSnedecor::new(df, 8.0).unwrap();
                close(f_cdf(x, df, 8.0), f.cdf(x), 1e-9);
            }
        }
    }
    for (n, p) in [(1, 0.3), (12, 0.5), (100, 0.95), (1000, 0.99)] {
        let b = Binomial::new(p, n).unwrap();
        for k in [0, n / 3, n / 2, n - 1, n] {
            close(binomial_cdf(k, n, p), b.cdf(k), 1e-9);
        }
    }
    for (a, b, x) in [(0.5, 3.0, 0.2), (96.0, 6.0, 0.95), (950.95, 50.05, 0.96)] {
        close(beta_inc(a, b, x), beta_reg(a, b, x), 1e-9);
    }
}

#[test]
fn quantiles_invert_their_distribution() {
    for df in DF {
        for p in [1e-12, 1e-6, 0.005, 0.025, 0.2, 0.5, 0.7, 0.975, 0.999] {
            close(student_t_cdf(student_t_quantile(p, df), df), p, 1e-12);
            close(chi_square_cdf(chi_square_quantile(p, df), df), p, 1e-12);
            close(f_cdf(f_quantile(p, df, 6.0), df, 6.0), p, 1e-12);
            close(beta_inc(df, 3.0, beta_quantile(p, df, 3.0)), p, 1e-11);
        }
    }
}

#[test]
fn closed_forms() {
    // Cauchy and t with two degrees of freedom have elementary quantiles.
    for tail in [1e-9, 0.005, 0.025, 0.3] {
        let cauchy = 1.0 / libm::tan(std::f64::consts::PI * tail);
        close(student_t_upper(tail, 1.0), cauchy, 1e-12);
        let two = (1.0 - 2.0 * tail) * (0.5 / (tail * (1.0 - tail))).sqrt();
        close(student_t_upper(tail, 2.0), two, 1e-12);
    }
    // Chi-square with two degrees of freedom is exponential.
    close(chi_square_sf(50.0, 2.0), exp(-25.0), 1e-13);
    close(chi_square_quantile(0.3, 2.0), -2.0 * log1p(-0.3), 1e-13);
    // Binomial tails are sums.
    close(binomial_sf(9, 10, 0.5), 1.0 / 1024.0, 1e-14);
    close(binomial_pmf(5, 10, 0.5), 252.0 / 1024.0, 1e-14);
    let sum: f64 = (0..=40).map(|k| binomial_pmf(k, 40, 0.03)).sum();
    close(sum, 1.0, 1e-13);
}

#[test]
fn far_tails_and_large_parameters() {
    // A Cauchy tail, a normal limit and the middle of a large beta.
    close(
        student_t_two_sided(1e100, 1.0),
        2e-100 / std::f64::consts::PI,
        1e-12,
    );
    close(student_t_two_sided(3.0, 1e10), normal_two_sided(3.0), 3e-9);
    close(beta_inc(5e5, 5e5, 0.5), 0.5, 1e-12);
}

#[test]
fn outside_the_domain_is_nan() {
    assert!(beta_inc(-1.0, 1.0, 0.5).is_nan());
    assert!(student_t_quantile(0.0, 5.0).is_nan());
    assert!(student_t_quantile(0.5, f64::NAN).is_nan());
    assert!(f_quantile(1.0, 2.0, 2.0).is_nan());
    assert!(chi_square_cdf(f64::NAN, 2.0).is_nan());
    assert!(binomial_cdf(1, 2, 1.5).is_nan());
}
