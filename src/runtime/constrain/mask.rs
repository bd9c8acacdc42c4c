//! Which tokens may come next.

use super::automaton::Automaton;

/// The bytes of all tokens as a tree, so that tokens with a common beginning
/// are looked at together.
#[derive(Debug)]
pub struct TokenTrie {
    nodes: Vec<Branch>,
    tokens: usize,
}

#[derive(Debug, Default)]
struct Branch {
    tokens: Vec<u32>,
    children: Vec<(u8, usize)>,
}

impl TokenTrie {
    /// The tree of a vocabulary; tokens without bytes never come into question.
    #[must_use]
    pub fn new<'a>(tokens: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut trie = Self {
            nodes: vec![Branch::default()],
            tokens: 0,
        };
        for (id, bytes) in tokens.into_iter().enumerate() {
            trie.tokens += 1;
            if bytes.is_empty() {
                continue;
            }
            let mut at = 0;
            for &byte in bytes {
                let found = trie.nodes[at].children.iter().find(|(b, _)| *b == byte);
                at = match found {
                    Some(&(_, child)) => child,
                    None => {
                        trie.nodes.push(Branch::default());
                        let child = trie.nodes.len() - 1;
                        trie.nodes[at].children.push((byte, child));
                        child
                    }
                };
            }
            trie.nodes[at].tokens.push(id as u32);
        }
        trie
    }

    /// Marks the tokens after which the text can still be completed in
    /// `left - 1` further tokens; a byte takes at most one token.
    pub fn mark(&self, automaton: &Automaton, left: usize, allowed: &mut Vec<bool>) {
        allowed.clear();
        allowed.resize(self.tokens, false);
        let mut open = vec![(0, automaton.clone())];
        while let Some((at, automaton)) = open.pop() {
            let branch = &self.nodes[at];
            if !branch.tokens.is_empty() && automaton.shortest() < left {
                for &token in &branch.tokens {
                    allowed[token as usize] = true;
                }
            }
            for &(byte, child) in &branch.children {
                let mut next = automaton.clone();
                if next.read(&[byte]) {
                    open.push((child, next));
                }
            }
        }
    }
}
