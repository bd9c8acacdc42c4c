use half::bf16;

/// A piece of memory of a task.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// What it is called in the kernels.
    pub name: &'static str,
    /// What becomes of it.
    pub role: Role,
    /// Its elements.
    pub data: Data,
}

impl Buffer {
    /// Memory that variants read and never write.
    #[must_use]
    pub fn input(name: &'static str, data: impl Into<Data>) -> Self {
        Self {
            name,
            role: Role::Input,
            data: data.into(),
        }
    }

    /// Memory that holds the result; poisoned.
    #[must_use]
    pub fn output(name: &'static str, data: impl Into<Data>) -> Self {
        Self::poisoned(name, Role::Output, data.into())
    }

    /// Memory for intermediate results of some variants; poisoned.
    #[must_use]
    pub fn scratch(name: &'static str, data: impl Into<Data>) -> Self {
        Self::poisoned(name, Role::Scratch, data.into())
    }

    fn poisoned(name: &'static str, role: Role, mut data: Data) -> Self {
        data.poison();
        Self { name, role, data }
    }
}

/// What becomes of a buffer during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Read only.
    Input,
    /// Written; poisoned before every check.
    Output,
    /// Written and read by some variants; poisoned before every check.
    Scratch,
}

/// The elements of a buffer.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Single precision.
    F32(Vec<f32>),
    /// The upper half of single precision.
    Bf16(Vec<bf16>),
    /// Indices, tokens, counts.
    U32(Vec<u32>),
}

impl Data {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
            Self::U32(values) => values.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size of one element in bytes.
    #[must_use]
    pub fn element_bytes(&self) -> usize {
        match self {
            Self::F32(_) | Self::U32(_) => 4,
            Self::Bf16(_) => 2,
        }
    }

    /// Size in bytes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.len() * self.element_bytes()
    }

    /// Fills with NaN, or `0xFFFF_FFFF` for integers. Every byte is `0xFF`, so
    /// that a device may poison with a plain fill.
    pub fn poison(&mut self) {
        match self {
            Self::F32(values) => values.fill(f32::from_bits(u32::MAX)),
            Self::Bf16(values) => values.fill(bf16::from_bits(u16::MAX)),
            Self::U32(values) => values.fill(u32::MAX),
        }
    }

    /// The elements as `f32`.
    ///
    /// # Panics
    /// If they are of another type.
    #[must_use]
    pub fn f32(&self) -> &[f32] {
        match self {
            Self::F32(values) => values,
            other => other.refuse("f32"),
        }
    }

    /// The elements as `f32`, to be written.
    ///
    /// # Panics
    /// If they are of another type.
    pub fn f32_mut(&mut self) -> &mut [f32] {
        match self {
            Self::F32(values) => values,
            other => other.refuse("f32"),
        }
    }

    /// The elements as bf16.
    ///
    /// # Panics
    /// If they are of another type.
    #[must_use]
    pub fn bf16(&self) -> &[bf16] {
        match self {
            Self::Bf16(values) => values,
            other => other.refuse("bf16"),
        }
    }

    /// The elements as bf16, to be written.
    ///
    /// # Panics
    /// If they are of another type.
    pub fn bf16_mut(&mut self) -> &mut [bf16] {
        match self {
            Self::Bf16(values) => values,
            other => other.refuse("bf16"),
        }
    }

    /// The elements as `u32`.
    ///
    /// # Panics
    /// If they are of another type.
    #[must_use]
    pub fn u32(&self) -> &[u32] {
        match self {
            Self::U32(values) => values,
            other => other.refuse("u32"),
        }
    }

    /// The elements as `u32`, to be written.
    ///
    /// # Panics
    /// If they are of another type.
    pub fn u32_mut(&mut self) -> &mut [u32] {
        match self {
            Self::U32(values) => values,
            other => other.refuse("u32"),
        }
    }

    fn refuse(&self, wanted: &str) -> ! {
        let held = match self {
            Self::F32(_) => "f32",
            Self::Bf16(_) => "bf16",
            Self::U32(_) => "u32",
        };
        panic!("a buffer of {held} was asked for {wanted}")
    }
}

impl From<Vec<f32>> for Data {
    fn from(values: Vec<f32>) -> Self {
        Self::F32(values)
    }
}

impl From<Vec<bf16>> for Data {
    fn from(values: Vec<bf16>) -> Self {
        Self::Bf16(values)
    }
}

impl From<Vec<u32>> for Data {
    fn from(values: Vec<u32>) -> Self {
        Self::U32(values)
    }
}
