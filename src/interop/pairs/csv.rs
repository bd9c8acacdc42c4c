//! CSV, one value per row (long) or one unit per row (wide).

use super::cell::short;
use super::declared::parse_level;
use super::order::position;
use super::{Cell, CountRow, Declared, Fact, ReadError, Row, Table};
use ::csv::{ByteRecord, ReaderBuilder};
use std::collections::HashMap;

/// How to read a CSV file.
#[derive(Clone, Debug, Default)]
pub struct CsvOptions {
    /// Delimiter; a comma unless told.
    pub delimiter: Option<u8>,
    /// Our column name -> the file's.
    pub columns: HashMap<String, String>,
}

/// Reads a CSV file.
///
/// # Errors
/// Names line and column.
pub fn read_csv(
    bytes: &[u8],
    options: &CsvOptions,
    declared: &Declared,
) -> Result<Table, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ReadError::at(1, "the file is UTF-16; save it as UTF-8"));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::new("the file is empty"));
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(options.delimiter.unwrap_or(b','))
        .has_headers(true)
        .trim(::csv::Trim::All)
        .from_reader(bytes);
    let header = reader.byte_headers().map_err(syntax)?.clone();
    let columns = Columns::find(&header, options, declared)?;
    let mut table = Table::new(Declared {
        factors: columns.factor_names(&header),
        ..Declared::default()
    });
    table.blocks = columns.block.is_some();
    for name in &columns.ignored {
        table.ignore(name);
    }
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(syntax)? {
        let line = record.position().map_or(0, ::csv::Position::line);
        columns.read(&record, line, &mut table)?;
    }
    if table.rows.is_empty() && table.counts.is_empty() {
        return Err(ReadError::new(
            "the file has a header but no row below it: nothing was measured",
        ));
    }
    Ok(table)
}

fn syntax(error: ::csv::Error) -> ReadError {
    let line = error.position().map(::csv::Position::line);
    let message = match error.kind() {
        ::csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} fields where the header has {expected_len}"),
        ::csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        other => format!("{other:?}"),
    };
    ReadError {
        line,
        column: None,
        message,
    }
}

/// Where the values of a row stand.
enum Layout {
    /// One arm and one value per row.
    Long { arm: Option<usize>, value: usize },
    /// One cell of a 2x2 design per row: passed tasks of all tasks.
    Counts {
        arm: Option<usize>,
        passed: usize,
        trials: usize,
    },
    /// One column per arm, and perhaps the name of the arm that ran first.
    Wide {
        arms: Vec<(String, usize)>,
        first: Option<usize>,
    },
}

struct Columns {
    unit: Option<usize>,
    factors: Option<[usize; 2]>,
    layout: Layout,
    order: Option<usize>,
    experiment: Option<usize>,
    metric: Option<usize>,
    profile: Option<usize>,
    block: Option<usize>,
    repeat: Option<usize>,
    state: Option<usize>,
    facts: Vec<(Fact, usize)>,
    ignored: Vec<String>,
}

impl Columns {
    fn find(
        header: &ByteRecord,
        options: &CsvOptions,
        declared: &Declared,
    ) -> Result<Self, ReadError> {
        let names: Vec<String> = header
            .iter()
            .map(|field| String::from_utf8_lossy(field).trim().to_owned())
            .collect();
        if let [only] = names.as_slice() {
            for (sign, say) in [(';', "';'"), ('\t', "tab")] {
                if only.contains(sign) {
                    return Err(ReadError::at(
                        1,
                        format!(
                            "there is one column only, but it holds {say} signs: add `--delimiter {say}`"
                        ),
                    ));
                }
            }
        }
        let theirs = |ours: &str| options.columns.get(ours).cloned();
        let find = |ours: &str| -> Result<Option<usize>, ReadError> {
            let wanted = theirs(ours);
            let name = wanted.clone().unwrap_or_else(|| ours.to_owned());
            let mut hits = names
                .iter()
                .enumerate()
                .filter(|(_, n)| n.eq_ignore_ascii_case(&name));
            match (hits.next(), hits.next()) {
                (Some(_), Some((second, _))) => Err(ReadError::at(
                    1,
                    format!("two columns are named `{}`", short(&name)),
                )
                .column(second as u64 + 1)),
                (None, _) if wanted.is_some() => Err(ReadError::at(
                    1,
                    format!("there is no column `{}` ({})", short(&name), found(&names)),
                )),
                (hit, _) => Ok(hit.map(|(i, _)| i)),
            }
        };
        let need = |ours: &str| -> Result<usize, ReadError> {
            find(ours)?.ok_or_else(|| {
                ReadError::at(
                    1,
                    format!(
                        "there is no column `{ours}` ({}); name it with `--column {ours}=NAME`",
                        found(&names)
                    ),
                )
            })
        };
        let mut facts = Vec::new();
        for fact in Fact::ALL {
            facts.extend(find(fact.column())?.map(|i| (fact, i)));
        }
        let factors = match (find("factor1")?, find("factor2")?) {
            (None, None) => None,
            _ => Some([need("factor1")?, need("factor2")?]),
        };
        let layout = match (factors, find("passed")?) {
            (Some(_), Some(passed)) => Layout::Counts {
                arm: find("arm")?,
                passed,
                trials: need("trials")?,
            },
            (Some(_), None) => Layout::Long {
                arm: find("arm")?,
                value: need("value")?,
            },
            (None, _) => Self::layout(&names, declared, &find, &need)?,
        };
        let mut columns = Self {
            unit: match layout {
                Layout::Counts { .. } => find("unit")?,
                _ => Some(need("unit")?),
            },
            factors,
            layout,
            order: find("order")?,
            experiment: find("experiment")?,
            metric: find("metric")?,
            profile: find("profile")?,
            block: find("block")?,
            repeat: find("repeat")?,
            state: find("state")?,
            facts,
            ignored: Vec::new(),
        };
        columns.ignored = columns.unused(&names);
        Ok(columns)
    }

    fn layout(
        names: &[String],
        declared: &Declared,
        find: &impl Fn(&str) -> Result<Option<usize>, ReadError>,
        need: &impl Fn(&str) -> Result<usize, ReadError>,
    ) -> Result<Layout, ReadError> {
        let at = |name: &str| names.iter().position(|n| n == name);
        let wide = find("arm")?.is_none()
            && declared.control.as_deref().is_some_and(|c| at(c).is_some())
            && !declared.candidates.is_empty();
        if !wide {
            return Ok(Layout::Long {
                arm: Some(need("arm")?),
                value: need("value")?,
            });
        }
        let wanted = declared
            .control
            .iter()
            .chain(&declared.control_again)
            .chain(&declared.candidates);
        let mut arms = Vec::new();
        for name in wanted {
            let Some(i) = at(name) else {
                return Err(ReadError::at(
                    1,
                    format!("there is no column `{}` ({})", short(name), found(names)),
                ));
            };
            arms.push((name.clone(), i));
        }
        Ok(Layout::Wide {
            arms,
            first: find("first")?,
        })
    }

    /// The factors by the names of their columns.
    fn factor_names(&self, header: &ByteRecord) -> Vec<String> {
        let name = |i: usize| String::from_utf8_lossy(&header[i]).trim().to_owned();
        self.factors.into_iter().flatten().map(name).collect()
    }

    fn unused(&self, names: &[String]) -> Vec<String> {
        let mut used: Vec<usize> = self.unit.into_iter().collect();
        used.extend(self.factors.into_iter().flatten());
        match &self.layout {
            Layout::Long { arm, value } => {
                used.extend(arm);
                used.push(*value);
            }
            Layout::Counts {
                arm,
                passed,
                trials,
            } => {
                used.extend(arm);
                used.extend([*passed, *trials]);
            }
            Layout::Wide { arms, first } => {
                used.extend(arms.iter().map(|(_, i)| *i));
                used.extend(first);
            }
        }
        let plain = [
            self.order,
            self.experiment,
            self.metric,
            self.profile,
            self.block,
            self.repeat,
            self.state,
        ];
        used.extend(plain.into_iter().flatten());
        used.extend(self.facts.iter().map(|(_, i)| *i));
        let unused = |(i, name): (usize, &String)| (!used.contains(&i)).then(|| name.clone());
        names.iter().enumerate().filter_map(unused).collect()
    }

    fn read(&self, record: &ByteRecord, line: u64, table: &mut Table) -> Result<(), ReadError> {
        let text = |i: usize| -> Result<&str, ReadError> {
            std::str::from_utf8(&record[i])
                .map_err(|_| ReadError::at(line, "the text is not UTF-8").column(i as u64 + 1))
        };
        let optional = |i: Option<usize>| i.map_or(Ok(""), text);
        let levels = match self.factors {
            None => None,
            Some(columns) => {
                let level = |i: usize| {
                    parse_level(text(i)?).map_err(|e| ReadError::at(line, e).column(i as u64 + 1))
                };
                Some([level(columns[0])?, level(columns[1])?])
            }
        };
        if let Layout::Counts {
            arm,
            passed,
            trials,
        } = self.layout
        {
            let count = |i: usize| {
                text(i)?.parse::<u64>().map_err(|_| {
                    ReadError::at(line, "there is no whole number").column(i as u64 + 1)
                })
            };
            table.counts.push(CountRow {
                line: u32::try_from(line).unwrap_or(u32::MAX),
                experiment: table.names.number(optional(self.experiment)?),
                metric: table.names.number(optional(self.metric)?),
                arm: table.names.number(optional(arm)?),
                levels: levels.unwrap_or_default(),
                passed: count(passed)?,
                trials: count(trials)?,
            });
            return Ok(());
        }
        let unit = optional(self.unit)?;
        if unit.is_empty() {
            let error = ReadError::at(line, "the unit has no name");
            return Err(error.column(self.unit.unwrap_or(0) as u64 + 1));
        }
        let inner = match (optional(self.block)?, optional(self.repeat)?) {
            (block, "") => block.to_owned(),
            ("", repeat) => repeat.to_owned(),
            (block, repeat) => format!("{block}/{repeat}"),
        };
        let mut facts = Vec::new();
        for &(fact, i) in &self.facts {
            let value = text(i)?;
            if !value.is_empty() {
                facts.push((fact, table.names.number(value)));
            }
        }
        let mut row = Row {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            experiment: table.names.number(optional(self.experiment)?),
            profile: table.names.number(optional(self.profile)?),
            metric: table.names.number(optional(self.metric)?),
            unit: table.names.number(unit),
            arm: 0,
            inner: table.names.number(&inner),
            levels,
            cell: Cell::Missing,
            order: f64::NAN,
            facts: table.facts_number(facts),
        };
        if let Some(i) = self.order {
            row.order =
                position(text(i)?).map_err(|e| ReadError::at(line, e).column(i as u64 + 1))?;
        }
        let cell = |i: usize| -> Result<Cell, ReadError> {
            let wrong = |e: String, i: usize| ReadError::at(line, e).column(i as u64 + 1);
            let cell = Cell::parse(text(i)?).map_err(|e| wrong(e, i))?;
            match self.state {
                Some(s) => cell.with_state(text(s)?).map_err(|e| wrong(e, s)),
                None => Ok(cell),
            }
        };
        match &self.layout {
            Layout::Long { arm, value } => {
                let name = optional(*arm)?;
                if let Some(i) = arm
                    && name.is_empty()
                {
                    return Err(ReadError::at(line, "the arm has no name").column(*i as u64 + 1));
                }
                row.arm = table.names.number(name);
                row.cell = cell(*value)?;
                table.rows.push(row);
            }
            // Read above.
            Layout::Counts { .. } => {}
            Layout::Wide { arms, first } => {
                let first = optional(*first)?;
                for (name, i) in arms {
                    row.arm = table.names.number(name);
                    row.cell = cell(*i)?;
                    if !first.is_empty() {
                        row.order = if first == name { 1.0 } else { 2.0 };
                    }
                    table.rows.push(row);
                }
            }
        }
        Ok(())
    }
}

fn found(names: &[String]) -> String {
    let list: Vec<String> = names
        .iter()
        .take(12)
        .map(|n| format!("`{}`", short(n)))
        .collect();
    let more = if names.len() > 12 { ", ..." } else { "" };
    format!("the file has {}{more}", list.join(", "))
}
