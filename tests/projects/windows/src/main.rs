//! Lends buffers to a library through windows that close when they go. A plain
//! build prints the same.

use std::ffi::CStr;

use codec_sys::{codec_fill, codec_knows, codec_shift, codec_state, codec_sum, codec_table};
use cubicle::{Access, Cubicle, Error, KeyedWindow, Window};

const SIZE: usize = 100_000;

fn main() -> Result<(), Error> {
    let codec = Cubicle::find("codec")?;
    let mut buffer = vec![0u8; SIZE];
    {
        let mut window = Window::new()?;
        let pointer = window.add(&mut buffer)?;
        window.open(codec, Access::ReadWrite)?;
        // SAFETY: the library writes as many bytes as the window holds.
        unsafe { codec_fill(pointer, SIZE) };
    }
    let expected: u64 = (0..SIZE).map(|i| i as u64 % 251).sum();
    assert_eq!(buffer.iter().map(|byte| u64::from(*byte)).sum::<u64>(), expected);
    println!("filled {SIZE} bytes");
    {
        let mut window = Window::new()?;
        let pointer = window.add_read_only(&buffer)?;
        assert_eq!(window.open(codec, Access::ReadWrite), Err(Error::ReadOnly));
        window.open(codec, Access::Read)?;
        // SAFETY: the library reads as many bytes as the window holds.
        println!("sum {}", unsafe { codec_sum(pointer, SIZE) });
        assert_eq!(buffer[250], 250);
    }
    // SAFETY: the table is a string, and open to this cubicle.
    let table = unsafe { CStr::from_ptr(codec_table()) };
    println!("{}", table.to_str().unwrap());
    misuse(codec)?;
    keyed()?;
    // SAFETY: takes nothing.
    assert_eq!(unsafe { codec_knows() } == 1, cfg!(cubicle));
    if std::env::args().nth(1).as_deref() == Some("late") {
        late(codec, &mut buffer)?;
    }
    println!("done");
    Ok(())
}

/// What a partitioned program is told, a plain one need not know.
fn misuse(codec: Cubicle) -> Result<(), Error> {
    let told = |result: Result<(), Error>, error| {
        assert_eq!(result, if cfg!(cubicle) { Err(error) } else { Ok(()) });
    };
    told(Cubicle::find("nobody").map(drop), Error::NotFound);
    let mut on_stack = [0u8; 64];
    let mut bytes = vec![0u8; 64];
    // SAFETY: the table is never written again.
    let foreign = unsafe { CStr::from_ptr(codec_table()) }.to_bytes();
    let mut window = Window::new()?;
    told(window.add(&mut on_stack).map(drop), Error::Stack);
    told(window.add_read_only(b"constant").map(drop), Error::NotMapped);
    assert_eq!(window.add(&mut []).map(drop), Err(Error::Empty));
    window.add(&mut bytes)?;
    told(window.close(codec), Error::NotFound);
    window.open(codec, Access::Read)?;
    window.close(codec)?;
    window.close_all()?;
    window.revoke(codec)?;
    told(window.open(Cubicle::find("app")?, Access::Read), Error::Itself);
    // Open for reading by codec to app: app may lend it no further than that.
    let mut lent = Window::new()?;
    lent.add_read_only(foreign)?;
    // However many are made, none is left.
    for _ in 0..10_000 {
        Window::new()?;
    }
    let many: Vec<_> = (0..1000).map_while(|_| Window::new().ok()).collect();
    assert_eq!(many.len() < 256, cfg!(cubicle));
    Ok(())
}

/// In window `table`.
#[unsafe(no_mangle)]
static mut SHARED_TABLE: [u8; 8192] = [0; 8192];

/// Memory that is shared all the time.
fn keyed() -> Result<(), Error> {
    let window = KeyedWindow::find("table")?;
    let memory = window.allocate(10_000)?;
    assert_eq!(memory.as_ptr() as usize % 4096, 0);
    for round in 1..=5 {
        // SAFETY: the library runs only while it is called.
        unsafe {
            codec_shift(memory.as_ptr(), memory.size());
            assert_eq!(SHARED_TABLE[8191], round);
            assert_eq!(*memory.as_ptr().add(9_999), round);
            SHARED_TABLE[0] = 0;
        }
    }
    // SAFETY: as above.
    let (name, calls) = unsafe { (CStr::from_ptr(codec_state.name), codec_state.calls) };
    println!("{} was called {calls} times", name.to_str().unwrap());
    let state = KeyedWindow::find("state")?;
    let told = |result: Result<(), Error>, error| {
        assert_eq!(result, if cfg!(cubicle) { Err(error) } else { Ok(()) });
    };
    told(state.allocate(1).map(drop), Error::NotOwned);
    told(KeyedWindow::find("nothing").map(drop), Error::NotFound);
    assert_eq!(window.allocate(0).map(drop), Err(Error::Empty));
    // All of it comes back.
    for _ in 0..100 {
        window.allocate(100 << 20)?;
    }
    Ok(())
}

/// The library keeps a pointer that it should not.
fn late(codec: Cubicle, buffer: &mut [u8]) -> Result<(), Error> {
    let mut window = Window::new()?;
    let pointer = window.add(buffer)?;
    window.open(codec, Access::ReadWrite)?;
    // SAFETY: as above.
    unsafe { codec_fill(pointer, 10) };
    drop(window);
    buffer[0] = 1;
    // SAFETY: in a plain program it is; in a partitioned one this ends it.
    unsafe { codec_fill(pointer, 10) };
    println!("written late");
    Ok(())
}
