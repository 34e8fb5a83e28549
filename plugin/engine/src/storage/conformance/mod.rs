//! What every storage must do, as one suite that all of them run.
//!
//! ```text
//! engine::conformance_suite!(MySubject::open); // one test per behaviour
//! ```

mod behaviour;
mod model;
mod race;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::ManualClock;
use crate::storage::Rows;

pub use behaviour::*;
pub use model::random_operations_agree_with_a_model;
pub use race::{Crowd, one_of_many_creators_wins, one_of_many_writers_wins};

/// A storage under test, empty.
pub trait Subject {
    /// The storage.
    fn rows(&self) -> Arc<dyn Rows>;

    /// The clock the storage lives by; `None` when it has one of its own, as a server does.
    fn clock(&self) -> Option<&ManualClock>;

    /// Lets time go by for the storage.
    fn pass(&self, time: Duration) {
        match self.clock() {
            Some(clock) => clock.advance(time),
            // Half as much again: a storage may round up, and a server counts in milliseconds.
            None => std::thread::sleep(time * 3 / 2),
        }
    }
}

/// Waits for a future on this thread.
///
/// # Panics
/// When the system cannot give what a runtime needs.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime on this thread").block_on(future)
}

/// Makes a test of each behaviour. Takes the path of a function without arguments that opens an empty [`Subject`].
#[macro_export]
macro_rules! conformance_suite {
    ($open:path) => {
        $crate::conformance_suite! { $open:
            a_row_that_was_never_written_is_absent
            what_was_written_is_loaded
            every_state_survives
            creating_where_a_row_is_conflicts
            replacing_where_no_row_is_conflicts
            replacing_another_version_conflicts
            repeating_a_write_conflicts
            a_row_whose_time_ran_out_is_absent
            a_row_whose_time_ran_out_can_be_created_again
            a_row_whose_time_ran_out_cannot_be_replaced
            a_write_sets_the_time_anew
            rows_do_not_touch_each_other
            a_working_storage_passes_its_probe
            reset_removes_every_row_and_counts_them
            one_of_many_creators_wins
            one_of_many_writers_wins
            random_operations_agree_with_a_model
        }
    };
    ($open:path: $($behaviour:ident)*) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::storage::conformance::$behaviour(&$open());
            }
        )*
    };
}
