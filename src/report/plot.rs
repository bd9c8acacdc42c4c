//! Plots in text.

/// The marks that a plot is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// A value.
    pub point: char,
    /// Between the ends of an interval.
    pub line: char,
    /// Left end of an interval.
    pub left: char,
    /// Right end of an interval.
    pub right: char,
    /// Zero.
    pub zero: char,
    /// A margin.
    pub margin: char,
    /// An axis.
    pub axis: char,
    /// The arms of a run-order plot.
    pub arms: [char; 8],
}

/// Box-drawing characters.
pub const UNICODE: Marks = Marks {
    point: '●',
    line: '─',
    left: '├',
    right: '┤',
    zero: '│',
    margin: '┊',
    axis: '─',
    arms: ['o', 'x', '+', '*', '#', '@', '%', '&'],
};

/// Seven-bit characters only.
pub const ASCII: Marks = Marks {
    point: 'O',
    line: '-',
    left: '[',
    right: ']',
    zero: '|',
    margin: ':',
    axis: '-',
    arms: UNICODE.arms,
};

/// A horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    lo: f64,
    hi: f64,
    columns: usize,
}

impl Axis {
    /// An axis that shows all finite `values`, with a little room beside them.
    #[must_use]
    pub fn around(values: impl IntoIterator<Item = f64>, columns: usize) -> Self {
        let (lo, hi) = values
            .into_iter()
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
                (lo.min(v), hi.max(v))
            });
        let (lo, hi) = if lo <= hi { (lo, hi) } else { (0.0, 0.0) };
        let room = if hi > lo {
            0.04 * (hi - lo)
        } else {
            1e-3 * lo.abs().max(1e-9)
        };
        Self {
            lo: lo - room,
            hi: hi + room,
            columns: columns.max(2),
        }
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Its two ends.
    #[must_use]
    pub fn ends(&self) -> (f64, f64) {
        (self.lo, self.hi)
    }

    /// The column of a value, the nearest one for values beyond the ends.
    #[must_use]
    pub fn column(&self, value: f64) -> usize {
        let share = (value - self.lo) / (self.hi - self.lo);
        let last = (self.columns - 1) as f64;
        (share * last).round().clamp(0.0, last) as usize
    }
}

/// One line of a strip: an empty line with zero and margins, to be drawn upon.
#[derive(Clone, Debug)]
pub struct Strip {
    axis: Axis,
    marks: Marks,
    cells: Vec<char>,
}

impl Strip {
    /// A line with zero and the margins (where they are inside).
    #[must_use]
    pub fn new(axis: Axis, marks: Marks, margins: Option<(f64, f64)>) -> Self {
        let mut cells = vec![' '; axis.columns];
        let mut rule = |value: f64, mark: char| {
            if axis.lo <= value && value <= axis.hi {
                cells[axis.column(value)] = mark;
            }
        };
        if let Some((low, high)) = margins {
            rule(low, marks.margin);
            rule(high, marks.margin);
        }
        rule(0.0, marks.zero);
        Self { axis, marks, cells }
    }

    /// Draws an interval; an open end reaches the edge.
    #[must_use]
    pub fn interval(mut self, lo: Option<f64>, hi: Option<f64>) -> Self {
        let from = lo.map_or(0, |v| self.axis.column(v));
        let to = hi.map_or(self.axis.columns - 1, |v| self.axis.column(v));
        for cell in &mut self.cells[from..=to.max(from)] {
            *cell = self.marks.line;
        }
        if lo.is_some() {
            self.cells[from] = self.marks.left;
        }
        if hi.is_some() {
            self.cells[to] = self.marks.right;
        }
        self
    }

    /// Draws a line without ends.
    #[must_use]
    pub fn line(mut self, lo: f64, hi: f64) -> Self {
        let (from, to) = (self.axis.column(lo), self.axis.column(hi));
        for cell in &mut self.cells[from..=to.max(from)] {
            *cell = self.marks.line;
        }
        self
    }

    /// Draws a value.
    #[must_use]
    pub fn point(mut self, value: f64) -> Self {
        let column = self.axis.column(value);
        self.cells[column] = self.marks.point;
        self
    }

    /// The line as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.cells.iter().collect()
    }
}

/// The line below strips: the two ends labelled, and zero between them where
/// there is room.
#[must_use]
pub fn labels(axis: Axis, label: impl Fn(f64) -> String) -> String {
    let (left, right) = (label(axis.lo), label(axis.hi));
    let mut cells = vec![' '; axis.columns];
    let mut write = |from: usize, text: &str| {
        for (cell, c) in cells.iter_mut().skip(from).zip(text.chars()) {
            *cell = c;
        }
    };
    let (ll, rl) = (left.chars().count(), right.chars().count());
    write(0, &left);
    write(axis.columns.saturating_sub(rl), &right);
    let zero = axis.column(0.0);
    if zero > ll && zero + rl + 1 < axis.columns {
        write(zero, "0");
    }
    cells.into_iter().collect::<String>().trim_end().to_owned()
}

/// A plane with one series of points per arm: `series[arm]` holds (x, y).
#[derive(Clone, Debug)]
pub struct Plane {
    /// Left to right.
    pub x: Axis,
    /// Bottom to top.
    pub y: Axis,
}

impl Plane {
    /// The plane's lines, top first. Where two arms meet, the later one shows.
    #[must_use]
    pub fn draw(&self, marks: Marks, series: &[Vec<(f64, f64)>]) -> Vec<String> {
        let mut cells = vec![vec![' '; self.x.columns]; self.y.columns];
        for (arm, points) in series.iter().enumerate() {
            for &(x, y) in points {
                let row = self.y.columns - 1 - self.y.column(y);
                cells[row][self.x.column(x)] = marks.arms[arm % marks.arms.len()];
            }
        }
        cells
            .into_iter()
            .map(|row| row.into_iter().collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_show_intervals_on_the_axis() {
        let axis = Axis::around([-1.0, 1.0], 21);
        let strip = Strip::new(axis, ASCII, Some((-0.5, 0.5)));
        assert_eq!(strip.text(), "     :    |    :     ");
        let drawn = strip.interval(Some(-0.5), Some(0.9)).point(0.0);
        assert_eq!(drawn.text(), "     [----O-------]  ");
        let open = Strip::new(axis, ASCII, None).interval(None, Some(0.0));
        assert_eq!(open.text(), "----------]          ");
    }

    #[test]
    fn degenerate_data_have_an_axis_too() {
        for values in [vec![], vec![0.0], vec![5.0, 5.0], vec![f64::NAN]] {
            let axis = Axis::around(values.clone(), 10);
            assert!(axis.ends().0 < axis.ends().1, "{values:?}");
            let strip = Strip::new(axis, UNICODE, None)
                .point(1e300)
                .interval(None, None);
            assert_eq!(strip.text().chars().count(), 10);
        }
    }

    #[test]
    fn planes_put_high_values_on_top() {
        let plane = Plane {
            x: Axis::around([0.0, 1.0], 3),
            y: Axis::around([0.0, 1.0], 2),
        };
        let lines = plane.draw(ASCII, &[vec![(0.0, 1.0)], vec![(1.0, 0.0)]]);
        assert_eq!(lines, ["o  ", "  x"]);
    }
}
