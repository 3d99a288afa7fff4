//! Words by address. Sorted in one piece: states are copied far more often than
//! they change, and tests are compiled without optimisation.

use super::state::Value;

/// Words that hold a known value; all others hold whatever an attacker wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory(Vec<(u64, Value)>);

impl Memory {
    pub fn get(&self, address: u64) -> Value {
        match self.place(address) {
            Ok(place) => self.0[place].1,
            Err(_) => Value::Any,
        }
    }

    pub fn set(&mut self, address: u64, value: Value) {
        match (self.place(address), value) {
            (Ok(place), Value::Any) => {
                self.0.remove(place);
            }
            (Err(_), Value::Any) => {}
            (Ok(place), _) => self.0[place].1 = value,
            (Err(place), _) => self.0.insert(place, (address, value)),
        }
    }

    pub fn keep(&mut self, is_kept: impl Fn(u64) -> bool) {
        self.0.retain(|(address, _)| is_kept(*address));
    }

    /// The known values of a range, in order.
    pub fn values(&self, range: std::ops::Range<u64>) -> Vec<Value> {
        let inside = self.0.iter().filter(|(address, _)| range.contains(address));
        inside.map(|(_, value)| *value).collect()
    }

    fn place(&self, address: u64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.0.len());
        while low < high {
            let middle = (low + high) / 2;
            let found = self.0[middle].0;
            if found == address {
                return Ok(middle);
            }
            if found < address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Err(low)
    }
}
