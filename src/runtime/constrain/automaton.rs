//! A pushdown automaton over bytes that accepts calls of tools.
//!
//! The text of a call is `{"name":"NAME","arguments":ARGUMENTS}` without white
//! space. At every point the automaton knows how many bytes the shortest way
//! to the end takes; that is how a call always ends in time.

use super::literal::{Literal, Texts};
use super::number::Number;
use super::schema::Schema;
use super::string::{Read, Text};
use std::sync::Arc;

/// A function that may be called.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What its arguments must look like.
    pub arguments: Schema,
}

/// Index of a [`Node`].
type NodeId = usize;

#[derive(Debug)]
enum Node {
    /// One of several texts, and after text `i` the nodes `then[i]`.
    Choice {
        texts: Arc<Texts>,
        then: Vec<Vec<NodeId>>,
    },
    String {
        min: usize,
        max: usize,
    },
    Number {
        whole: bool,
    },
    Array {
        item: NodeId,
        min: usize,
        max: usize,
    },
}

/// Nodes and the bytes of the shortest text of each.
#[derive(Debug, Default)]
struct Grammar {
    nodes: Vec<Node>,
    shortest: Vec<usize>,
}

impl Grammar {
    fn add(&mut self, node: Node) -> NodeId {
        let shortest = match &node {
            Node::Choice { texts, then } => {
                Literal::new(texts).shortest(|i| self.cost_of(&then[i]))
            }
            Node::String { min, .. } => min.saturating_add(2),
            Node::Number { .. } => 1,
            Node::Array { item, min, .. } => self.shortest_array(*item, *min) + 1,
        };
        self.nodes.push(node);
        self.shortest.push(shortest);
        self.nodes.len() - 1
    }

    fn choice(&mut self, choices: Vec<(String, Vec<NodeId>)>) -> NodeId {
        let (texts, then) = choices
            .into_iter()
            .map(|(text, then)| (text.into_bytes().into_boxed_slice(), then))
            .unzip();
        let texts = Arc::new(Texts(texts));
        self.add(Node::Choice { texts, then })
    }

    fn cost_of(&self, nodes: &[NodeId]) -> usize {
        nodes.iter().fold(0, |sum: usize, &node| {
            sum.saturating_add(self.shortest[node])
        })
    }

    /// From after the opening bracket: items, commas, closing bracket.
    fn shortest_array(&self, item: NodeId, min: usize) -> usize {
        let item = self.shortest[item].saturating_add(1);
        // Half the range keeps room for what is added to it.
        item.saturating_mul(min).clamp(1, usize::MAX / 2)
    }

    fn value(&mut self, schema: &Schema) -> NodeId {
        match schema {
            Schema::OneOf(texts) => {
                self.choice(texts.iter().map(|t| (t.clone(), Vec::new())).collect())
            }
            Schema::String { min, max } => self.add(Node::String {
                min: *min,
                max: *max,
            }),
            Schema::Integer => self.add(Node::Number { whole: true }),
            Schema::Number => self.add(Node::Number { whole: false }),
            Schema::Array { items, min, max } => {
                let item = self.value(items);
                self.add(Node::Array {
                    item,
                    min: *min,
                    max: *max,
                })
            }
            Schema::Object(properties) => {
                let values: Vec<NodeId> =
                    properties.iter().map(|p| self.value(&p.schema)).collect();
                // Backwards: what may follow property `i - 1` is known before
                // what may precede it.
                let mut after = vec![0; properties.len() + 1];
                for i in (0..=properties.len()).rev() {
                    let open = if i == 0 { "{" } else { "," };
                    let mut choices = Vec::new();
                    let mut may_end = true;
                    for j in i..properties.len() {
                        let name = quoted(&properties[j].name);
                        // Also when nothing was written: then `j` is the first.
                        choices.push((format!("{open}{name}:"), vec![values[j], after[j + 1]]));
                        if properties[j].required {
                            may_end = false;
                            break;
                        }
                    }
                    if may_end {
                        let end = if i == 0 { "{}" } else { "}" };
                        choices.push((end.to_owned(), Vec::new()));
                    }
                    after[i] = self.choice(choices);
                }
                after[0]
            }
        }
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The bytes with which the call of a tool begins.
#[must_use]
pub fn opening(name: &str) -> String {
    format!("{{\"name\":{},\"arguments\":", quoted(name))
}

#[derive(Clone, Debug)]
enum Frame {
    /// Not begun.
    Node(NodeId),
    Choice(NodeId, Literal),
    String(Text),
    Number(Number),
    /// After the opening bracket and so many items, the last of them whole.
    Array(NodeId, usize),
}

/// Reads the text of a call byte by byte.
#[derive(Clone, Debug)]
pub struct Automaton {
    grammar: Arc<Grammar>,
    stack: Vec<Frame>,
}

impl Automaton {
    /// Accepts one call of one of the tools, which have distinct names.
    ///
    /// # Panics
    /// If there is no tool.
    #[must_use]
    pub fn calls(tools: &[Tool]) -> Self {
        assert!(!tools.is_empty(), "a call needs a tool");
        let mut grammar = Grammar::default();
        let end = grammar.choice(vec![("}".to_owned(), Vec::new())]);
        let choices = tools
            .iter()
            .map(|tool| {
                let arguments = grammar.value(&tool.arguments);
                (opening(&tool.name), vec![arguments, end])
            })
            .collect();
        let root = grammar.choice(choices);
        Self {
            grammar: Arc::new(grammar),
            stack: vec![Frame::Node(root)],
        }
    }

    /// Takes in bytes. When one of them may not come, returns `false`, and the
    /// automaton is of no further use.
    pub fn read(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|&byte| self.step(byte))
    }

    /// Whether the call is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stack.is_empty()
    }

    /// Bytes of the shortest way to the end.
    #[must_use]
    pub fn shortest(&self) -> usize {
        let grammar = &self.grammar;
        self.stack.iter().fold(0_usize, |sum, frame| {
            let more = match frame {
                Frame::Node(node) => grammar.shortest[*node],
                Frame::Choice(node, literal) => {
                    let then = self.then(*node);
                    literal.shortest(|i| grammar.cost_of(&then[i]))
                }
                Frame::String(text) => text.shortest(),
                Frame::Number(number) => number.shortest(),
                Frame::Array(node, count) => {
                    let (item, min, _) = self.array(*node);
                    let missing = min.saturating_sub(*count);
                    // With an item there, the next one costs a comma, and the
                    // bracket comes on top.
                    let bracket = usize::from(*count > 0 && missing > 0);
                    grammar.shortest_array(item, missing) + bracket
                }
            };
            sum.saturating_add(more)
        })
    }

    fn then(&self, node: NodeId) -> &[Vec<NodeId>] {
        match &self.grammar.nodes[node] {
            Node::Choice { then, .. } => then,
            _ => unreachable!("a choice's frame names a choice"),
        }
    }

    fn array(&self, node: NodeId) -> (NodeId, usize, usize) {
        match self.grammar.nodes[node] {
            Node::Array { item, min, max } => (item, min, max),
            _ => unreachable!("an array's frame names an array"),
        }
    }

    fn step(&mut self, byte: u8) -> bool {
        // Numbers and texts that begin longer ones end at the byte after them.
        while let Some(top) = self.stack.pop() {
            match top {
                Frame::Node(node) => match &self.grammar.nodes[node] {
                    Node::Choice { texts, .. } => {
                        let literal = Literal::new(texts);
                        self.stack.push(Frame::Choice(node, literal));
                    }
                    Node::String { min, max } => {
                        let text = Text::new(*min, *max);
                        self.stack.push(Frame::String(text));
                        return byte == b'"';
                    }
                    Node::Number { whole } => {
                        let start = Number::Start { whole: *whole };
                        self.stack.push(Frame::Number(start));
                    }
                    Node::Array { .. } => {
                        self.stack.push(Frame::Array(node, 0));
                        return byte == b'[';
                    }
                },
                Frame::String(text) => match text.read(byte) {
                    Read::On(text) => {
                        self.stack.push(Frame::String(text));
                        return true;
                    }
                    Read::Closed => return true,
                    Read::Refused => return false,
                },
                Frame::Number(number) => match number.read(byte) {
                    Some(number) => {
                        self.stack.push(Frame::Number(number));
                        return true;
                    }
                    None if number.shortest() > 0 => return false,
                    None => {}
                },
                Frame::Choice(node, literal) => match literal.read(byte) {
                    Some(literal) => {
                        match literal.complete() {
                            Some(i) if !literal.may_go_on() => self.follow(node, i),
                            _ => self.stack.push(Frame::Choice(node, literal)),
                        }
                        return true;
                    }
                    None => match literal.complete() {
                        Some(i) => self.follow(node, i),
                        None => return false,
                    },
                },
                Frame::Array(node, count) => {
                    let (item, min, max) = self.array(node);
                    if byte == b']' {
                        return count >= min;
                    }
                    if count == max || (count > 0 && byte != b',') {
                        return false;
                    }
                    self.stack.push(Frame::Array(node, count + 1));
                    self.stack.push(Frame::Node(item));
                    if count > 0 {
                        return true;
                    }
                }
            }
        }
        false
    }

    fn follow(&mut self, node: NodeId, i: usize) {
        let grammar = Arc::clone(&self.grammar);
        if let Node::Choice { then, .. } = &grammar.nodes[node] {
            self.stack
                .extend(then[i].iter().rev().map(|&n| Frame::Node(n)));
        }
    }
}
