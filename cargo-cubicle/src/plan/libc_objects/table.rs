//! What belongs to the libc that made it, why, and what to do instead.

/// One kind of object.
#[derive(Debug, PartialEq, Eq)]
pub struct LibcObject {
    /// Its names in C: typedefs and tags, as debug information has them.
    pub types: &'static [&'static str],
    /// Why it means nothing to another libc; follows "is a `FILE`: ".
    pub reason: &'static str,
    /// What to do instead, one sentence.
    pub instead: &'static str,
}

/// Every kind, for glibc's headers on x86-64. What is plain data to its last
/// byte (`struct tm`, `struct stat`, `mbstate_t`, `fd_set`, `sigset_t`) is not here:
/// it can be lent.
pub static OBJECTS: &[LibcObject] = &[
    LibcObject {
        types: &["FILE", "_IO_FILE", "FILE64", "_IO_cookie_io_functions_t"],
        reason: "a stream's buffer, lock and functions are those of the libc that opened it",
        instead: "pass the descriptor (`fileno`, after `fflush`), which is the kernel's, and let the other side `fdopen` a `dup` of it; or pass a path, or the bytes",
    },
    LibcObject {
        types: &["DIR", "__dirstream", "FTS", "FTSENT", "_ftsent"],
        reason: "a directory stream lies in the heap of the libc that opened it",
        instead: "pass the path, or the descriptor (`dirfd`), and let the other side open it",
    },
    LibcObject {
        types: &["pthread_t", "thrd_t"],
        reason: "a thread's id is the address of its descriptor in its own libc",
        instead: "let the cubicle whose thread it is join, cancel or signal it, through a function of its own",
    },
    LibcObject {
        types: &[
            "pthread_mutex_t",
            "pthread_cond_t",
            "pthread_rwlock_t",
            "pthread_barrier_t",
            "pthread_spinlock_t",
            "pthread_once_t",
            "mtx_t",
            "cnd_t",
            "once_flag",
        ],
        reason: "its owner and waiters are threads as one libc knows them, and a lent one is a copy that nobody else takes",
        instead: "keep it where it is and give the other side functions that take and release it",
    },
    LibcObject {
        types: &["sem_t"],
        reason: "a lent one is a copy that nobody else posts, and a named one is in a list of its own libc",
        instead: "keep it where it is and give the other side functions that post and wait; across processes, let each side `sem_open` it by name",
    },
    LibcObject {
        types: &["pthread_key_t", "tss_t"],
        reason: "it is an index into a table of the libc that made it",
        instead: "let each side create a key of its own, or give the other side functions that get and set the value",
    },
    LibcObject {
        types: &["pthread_attr_t"],
        reason: "it may hold memory of the libc that set it up, and each libc has threads of its own",
        instead: "pass the sizes and flags as numbers and let the other side fill one",
    },
    LibcObject {
        types: &["jmp_buf", "sigjmp_buf", "__jmp_buf_tag"],
        reason: "it holds a stack pointer of the cubicle that called `setjmp`, scrambled with that libc's secret",
        instead: "return an error code across the border and jump on the side that called `setjmp`",
    },
    LibcObject {
        types: &["ucontext_t"],
        reason: "it holds a stack of the cubicle that made it",
        instead: "switch contexts on one side of the border only",
    },
    LibcObject {
        types: &[
            "va_list",
            "__builtin_va_list",
            "__gnuc_va_list",
            "__va_list_tag",
        ],
        reason: "it points into the stack of the function that was called with `...`",
        instead: "format on the caller's side (`vsnprintf`) and pass the text, or declare the function variadic with the slots it is called with: `signature = \"int f(const char *, ..., int)\"`",
    },
    LibcObject {
        types: &["locale_t", "__locale_t", "__locale_struct"],
        reason: "it points to tables in the heap of the libc that made it",
        instead: "pass the locale's name and let the other side call `newlocale`",
    },
    LibcObject {
        types: &["iconv_t", "nl_catd"],
        reason: "it is an address in the heap of the libc that opened it",
        instead: "pass the names of the character sets, or of the catalogue, and let the other side open it; or pass the converted text",
    },
    LibcObject {
        types: &["regex_t", "re_pattern_buffer", "pattern_buffer"],
        reason: "what it was compiled into lies in the heap of the libc that compiled it",
        instead: "pass the pattern's text, and compile and match on the same side",
    },
    LibcObject {
        types: &["glob_t", "wordexp_t"],
        reason: "its words lie in the heap of the libc that found them, which alone can free them",
        instead: "pass the pattern, or the words one by one",
    },
    LibcObject {
        types: &["hsearch_data", "obstack", "random_data"],
        reason: "it refers to memory that the libc of one side manages",
        instead: "keep it on one side and give the other one functions that use it",
    },
    LibcObject {
        types: &["posix_spawn_file_actions_t", "posix_spawnattr_t"],
        reason: "its list lies in the heap of the libc that built it",
        instead: "build it in the cubicle that starts the program",
    },
    LibcObject {
        types: &["aiocb", "aiocb64"],
        reason: "the threads that work on it belong to the libc that was given it",
        instead: "use ordinary reads and writes, or let one side do both",
    },
];
