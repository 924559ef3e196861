//! Draws from distributions. The logarithm comes from `libm`: the same bits on every platform.

use crate::rng::Rng;

/// 2^-53: the step between numbers from 0 to 1 that a double can tell apart.
const STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

impl Rng {
    /// A generator of its own for one part of the story: what one part draws changes no other.
    pub fn for_part(seed: u64, part: &[u64]) -> Self {
        let mut rng = Self::new(seed);
        for &number in part {
            rng = Self::new(rng.bits() ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        }
        rng
    }

    /// A number from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * STEP
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A waiting time: exponential with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// How often something happens whose mean is `mean` (Poisson, by waiting times; 10,000 at most).
    pub fn count(&mut self, mean: f64) -> u32 {
        let mut waited = self.exponential(1.0);
        let mut n = 0;
        while waited < mean && n < 10_000 {
            waited += self.exponential(1.0);
            n += 1;
        }
        n
    }

    /// Log-normal with this median; `sigma` is the deviation of the logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // Irwin and Hall: twelve uniform draws are close enough to a normal one for stories.
        let normal = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        median * libm::exp(sigma * normal)
    }

    /// The same as a whole number within a range.
    pub fn log_normal_between(&mut self, median: f64, sigma: f64, range: (i64, i64)) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range right after")]
        let drawn = self.log_normal(median, sigma) as i64;
        drawn.clamp(range.0, range.1)
    }

    /// An index below `n`, the first far more often than the last: Zipf with exponent 1.
    pub fn rank(&mut self, n: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and n + 1, which are small"
        )]
        let drawn = libm::pow(n as f64 + 1.0, self.unit()) as usize;
        drawn.clamp(1, n.max(1)) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u32 = 20_000;

    fn mean(mut draw: impl FnMut() -> f64) -> f64 {
        (0..N).map(|_| draw()).sum::<f64>() / f64::from(N)
    }

    #[test]
    fn parts_are_independent_of_each_other() {
        let first = |part: &[u64]| Rng::for_part(7, part).bits();
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[1]), first(&[1, 0]));
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
    }

    #[test]
    fn means_are_as_asked() {
        let mut rng = Rng::new(1);
        assert!((mean(|| rng.unit()) - 0.5).abs() < 0.01);
        assert!((mean(|| rng.exponential(3.0)) - 3.0).abs() < 0.1);
        assert!((mean(|| f64::from(rng.count(2.5))) - 2.5).abs() < 0.1);
    }

    #[test]
    fn low_ranks_come_first_and_every_rank_comes() {
        let mut rng = Rng::new(1);
        let mut seen = [0_u32; 10];
        (0..N).for_each(|_| seen[rng.rank(10)] += 1);
        assert!(seen[0] > 3 * seen[4] && seen[9] > 0, "{seen:?}");
    }

    #[test]
    fn the_median_is_as_asked() {
        let mut rng = Rng::new(1);
        let above = (0..N).filter(|_| rng.log_normal(40.0, 1.0) > 40.0).count();
        assert!(above.abs_diff(N as usize / 2) < 300);
    }
}
