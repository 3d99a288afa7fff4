/* Calls every function that manifests/sqlite3.toml describes and the bundled
 * SQLite has. Callbacks print, so that their order is compared too. */
#include <stdint.h>
#include <unistd.h>

#include "check.h"
#include "sqlite3.h"

static sqlite3 *db;
static int given;

static void run(const char *sql)
{
    char *message = NULL;
    int result = sqlite3_exec(db, sql, NULL, NULL, &message);
    if (result != SQLITE_OK)
        printf("%s: %s\n", sql, message);
    sqlite3_free(message);
}

static int print(void *to, int count, char **values, char **names)
{
    CHECK(to == &given);
    for (int i = 0; i < count; i++)
        printf("%s%s=%s", i ? " " : "  ", names[i], values[i] ? values[i] : "NULL");
    printf("\n");
    return 0;
}

static void show(const char *sql)
{
    CHECK(sqlite3_exec(db, sql, print, &given, NULL) == SQLITE_OK);
}

static void forget(void *what)
{
    printf("  forget %s\n", what == &given ? "given" : (const char *)what);
}

static void statements(void)
{
    static const char two[] = "SELECT ?1 + :more AS sum; SELECT 2";
    sqlite3_stmt *statement;
    const char *tail;
    char **table, *message;
    int rows, columns;

    CHECK(sqlite3_prepare_v2(db, two, -1, &statement, &tail) == SQLITE_OK);
    CHECK(tail == two + 25 && !strcmp(tail, " SELECT 2"));
    CHECK(sqlite3_bind_parameter_index(statement, ":more") == 2);
    sqlite3_finalize(statement);
    CHECK(sqlite3_prepare_v3(db, two, 24, 0, &statement, &tail) == SQLITE_OK && tail == two + 24);
    CHECK(sqlite3_bind_int64(statement, 1, INT64_C(1) << 40) == SQLITE_OK);
    CHECK(sqlite3_bind_text(statement, 2, "5 and more", 1, SQLITE_STATIC) == SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    printf("  %s %s\n", sqlite3_column_name(statement, 0), sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    CHECK(sqlite3_prepare(db, "nonsense", -1, &statement, NULL) == SQLITE_ERROR && !statement);
    printf("  %s\n", sqlite3_errmsg(db));

    run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE NOT NULL, data BLOB)");
    sqlite3_prepare_v2(db, "INSERT INTO t (name, data) VALUES (?, ?)", -1, &statement, NULL);
    for (int i = 0; i < 4; i++) {
        char name[20], data[300];
        snprintf(name, sizeof name, "name %d", i);
        memset(data, 'a' + i, sizeof data);
        if (i < 2)
            sqlite3_bind_text(statement, 1, name, i ? (int)strlen(name) : -1, SQLITE_TRANSIENT);
        else
            sqlite3_bind_text64(statement, 1, name, strlen(name), SQLITE_TRANSIENT, SQLITE_UTF8);
        if (i & 1)
            sqlite3_bind_blob(statement, 2, data, sizeof data, SQLITE_TRANSIENT);
        else
            sqlite3_bind_blob64(statement, 2, data, 3, SQLITE_TRANSIENT);
        CHECK(sqlite3_step(statement) == SQLITE_DONE && sqlite3_reset(statement) == SQLITE_OK);
    }
    sqlite3_bind_text(statement, 1, "", 0, SQLITE_STATIC);
    sqlite3_bind_null(statement, 2);
    CHECK(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_finalize(statement);
    show("SELECT id, name, length(data) AS n, substr(data, 1, 3) AS d FROM t");

    CHECK(sqlite3_get_table(db, "SELECT id FROM t", &table, &rows, &columns, NULL) == SQLITE_OK);
    CHECK(rows == 5 && columns == 1 && !strcmp(table[5], "5"));
    sqlite3_free_table(table);
    CHECK(sqlite3_get_table(db, "SELECT", &table, NULL, NULL, &message) == SQLITE_ERROR);
    printf("  %s\n", message);
    sqlite3_free(message);
}

static void twice(sqlite3_context *context, int count, sqlite3_value **values)
{
    char text[100];
    CHECK(count == 1 && sqlite3_user_data(context) == &given);
    snprintf(text, sizeof text, "%s%s", sqlite3_value_text(values[0]), sqlite3_value_text(values[0]));
    sqlite3_result_text(context, text, sqlite3_value_bytes(values[0]) * 2, SQLITE_TRANSIENT);
}

static void kinds(sqlite3_context *context, int count, sqlite3_value **values)
{
    static const char part[] = "a part of this";
    (void)count;
    switch (sqlite3_value_int(values[0])) {
    case 1: sqlite3_result_text64(context, part, 6, SQLITE_STATIC, SQLITE_UTF8); break;
    case 2: sqlite3_result_blob(context, part, 1, SQLITE_TRANSIENT); break;
    case 3: sqlite3_result_blob64(context, part, 0, SQLITE_STATIC); break;
    case 4: sqlite3_result_pointer(context, &given, "given", forget); break;
    case 5: sqlite3_result_text(context, "to its end", -1, SQLITE_STATIC); break;
    case 6: sqlite3_result_error(context, "an error, and more", 8); break;
    default: sqlite3_result_error(context, "another error", -1);
    }
}

static void is_given(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    sqlite3_result_int(context, sqlite3_value_pointer(values[0], "given") == &given);
}

static void remembers(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count, (void)values;
    if (sqlite3_get_auxdata(context, 0))
        sqlite3_result_text(context, sqlite3_get_auxdata(context, 0), -1, SQLITE_TRANSIENT);
    else {
        sqlite3_set_auxdata(context, 0, "a note", forget);
        sqlite3_result_null(context);
    }
}

/* Runs a statement inside a statement. */
static void nested(sqlite3_context *context, int count, sqlite3_value **values)
{
    sqlite3_stmt *statement;
    (void)count;
    sqlite3_prepare_v2(sqlite3_context_db_handle(context), "SELECT name FROM t WHERE id = ?", -1, &statement, NULL);
    sqlite3_bind_value(statement, 1, values[0]);
    sqlite3_step(statement);
    sqlite3_result_value(context, sqlite3_column_value(statement, 0));
    sqlite3_finalize(statement);
}

static void longest_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    int *longest = sqlite3_aggregate_context(context, sizeof *longest);
    (void)count;
    if (sqlite3_value_bytes(values[0]) > *longest)
        *longest = sqlite3_value_bytes(values[0]);
}

static void longest_value(sqlite3_context *context)
{
    int *longest = sqlite3_aggregate_context(context, sizeof *longest);
    sqlite3_result_int(context, *longest);
}

static void longest_inverse(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)context, (void)count, (void)values;
    printf("  inverse\n");
}

static int backwards(void *to, int left_length, const void *left, int right_length, const void *right)
{
    int length = left_length < right_length ? left_length : right_length;
    int order = memcmp(left, right, length);
    CHECK(to == &given);
    return order ? -order : right_length - left_length;
}

static void needed(void *to, sqlite3 *connection, int encoding, const char *name)
{
    printf("  needs %s\n", name);
    CHECK(sqlite3_create_collation(connection, name, encoding, to, backwards) == SQLITE_OK);
}

static void functions(void)
{
    sqlite3_stmt *statement;

    CHECK(sqlite3_create_function(db, "twice", 1, SQLITE_UTF8, &given, twice, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_create_function_v2(db, "kinds", 1, SQLITE_UTF8, &given, kinds, NULL, NULL, forget) == SQLITE_OK);
    CHECK(sqlite3_create_function(db, "is_given", 1, SQLITE_UTF8, NULL, is_given, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_create_function(db, "remembers", 1, SQLITE_UTF8, NULL, remembers, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_create_function(db, "nested", 1, SQLITE_UTF8, NULL, nested, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_create_function(db, "longest", 1, SQLITE_UTF8, NULL, NULL, longest_step, longest_value) == SQLITE_OK);
    CHECK(sqlite3_create_window_function(db, "window", 1, SQLITE_UTF8, "the window", longest_step, longest_value,
                                         longest_value, longest_inverse, forget) == SQLITE_OK);
    CHECK(sqlite3_overload_function(db, "unheard_of", 1) == SQLITE_OK);
    show("SELECT twice(name) AS twice, nested(6 - id) AS other, remembers('x') AS note FROM t");
    show("SELECT longest(name) AS longest FROM t");
    show("SELECT window(name) OVER (ORDER BY id ROWS 1 PRECEDING) AS w FROM t");
    show("SELECT kinds(1) AS a, kinds(2) AS b, kinds(3) AS c, is_given(kinds(4)) AS d, kinds(5) AS e");
    run("SELECT kinds(6)");
    run("SELECT kinds(7)");
    run("SELECT unheard_of(1)");
    sqlite3_prepare_v2(db, "SELECT is_given(?)", -1, &statement, NULL);
    CHECK(sqlite3_bind_pointer(statement, 1, &given, "given", forget) == SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int(statement, 0) == 1);
    sqlite3_finalize(statement);
    /* Whoever describes a function anew, or badly, has the old one forgotten. */
    CHECK(sqlite3_create_function_v2(db, "kinds", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_create_function_v2(db, "bad", 100000, SQLITE_UTF8, "the bad", twice, NULL, NULL, forget) != SQLITE_OK);

    CHECK(sqlite3_create_collation_v2(db, "backwards", SQLITE_UTF8, &given, backwards, forget) == SQLITE_OK);
    CHECK(sqlite3_collation_needed(db, &given, needed) == SQLITE_OK);
    show("SELECT name FROM t ORDER BY name COLLATE backwards");
    show("SELECT max(name COLLATE another) AS first FROM t");
}

static int commit(void *to)
{
    printf("  commit\n");
    return to != &given;
}

static void rollback(void *to)
{
    printf("  rollback %d\n", to == &given);
}

static void update(void *to, int what, const char *database, const char *table, sqlite3_int64 row)
{
    printf("  update %d %d %s %s %d\n", to == &given, what, database, table, (int)row);
}

static int authorize(void *to, int what, const char *first, const char *second, const char *database, const char *inside)
{
    (void)to, (void)database, (void)inside;
    if (what == SQLITE_READ && !strcmp(first, "t") && second && !strcmp(second, "data"))
        return SQLITE_IGNORE;
    return what == SQLITE_DROP_TABLE ? SQLITE_DENY : SQLITE_OK;
}

static int progress(void *to)
{
    return ++*(int *)to > 100;
}

static int trace_v2(unsigned what, void *to, void *statement, void *detail)
{
    (void)to;
    if (what == SQLITE_TRACE_STMT)
        printf("  trace %s\n", (const char *)detail);
    else
        printf("  trace %u %s\n", what, sqlite3_sql(statement));
    return 0;
}

static void trace(void *to, const char *sql)
{
    printf("  old trace %d %s\n", to == &given, sql);
}

static void profile(void *to, const char *sql, sqlite3_uint64 time)
{
    (void)time;
    printf("  profile %d %s\n", to == &given, sql);
}

static unsigned vacuum(void *to, const char *schema, unsigned pages, unsigned free, unsigned bytes)
{
    (void)to, (void)pages, (void)bytes;
    printf("  vacuum %s\n", schema);
    return free;
}

static void hooks(void)
{
    int asked = 0;

    CHECK(!sqlite3_commit_hook(db, commit, &given) && !sqlite3_rollback_hook(db, rollback, &given));
    CHECK(!sqlite3_update_hook(db, update, &given));
    run("UPDATE t SET name = upper(name) WHERE id = 3");
    CHECK(sqlite3_commit_hook(db, commit, NULL) == &given);
    run("DELETE FROM t");
    CHECK(!sqlite3_commit_hook(db, NULL, NULL) && sqlite3_rollback_hook(db, NULL, NULL) == &given);
    CHECK(sqlite3_update_hook(db, NULL, NULL) == &given);

    CHECK(sqlite3_set_authorizer(db, authorize, &given) == SQLITE_OK);
    show("SELECT name, data FROM t WHERE id = 4");
    run("DROP TABLE t");
    CHECK(sqlite3_set_authorizer(db, NULL, NULL) == SQLITE_OK);

    sqlite3_progress_handler(db, 100, progress, &asked);
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
    sqlite3_progress_handler(db, 0, NULL, NULL);
    CHECK(asked == 101);

    CHECK(sqlite3_trace_v2(db, SQLITE_TRACE_STMT | SQLITE_TRACE_ROW, trace_v2, &given) == SQLITE_OK);
    run("SELECT 1");
    CHECK(sqlite3_trace_v2(db, 0, NULL, NULL) == SQLITE_OK);
    CHECK(!sqlite3_trace(db, trace, &given) && (run("SELECT 2"), sqlite3_trace(db, NULL, NULL) == &given));
    CHECK(!sqlite3_profile(db, profile, &given) && (run("SELECT 3"), sqlite3_profile(db, NULL, NULL) == &given));

    CHECK(sqlite3_set_clientdata(db, "mine", "the data", forget) == SQLITE_OK);
    CHECK(!strcmp(sqlite3_get_clientdata(db, "mine"), "the data") && !sqlite3_get_clientdata(db, "yours"));
}

static int wal(void *to, sqlite3 *connection, const char *database, int pages)
{
    printf("  wal %d %s %d\n", to == &given && connection == db, database, pages);
    return SQLITE_OK;
}

static int busy(void *to, int times)
{
    printf("  busy %d\n", times);
    return times < *(int *)to;
}

static void files(const char *folder)
{
    char path[300];
    char *message = NULL;
    sqlite3 *other;
    sqlite3_backup *backup;
    int times = 2, log = 0, pages = 0, current = 0, highest = 0, value = 7, result;

    snprintf(path, sizeof path, "%s/interfaces.db", folder);
    unlink(path);
    CHECK(sqlite3_open_v2(path, &other, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix") == SQLITE_OK);
    CHECK(sqlite3_vfs_find("unix") && !sqlite3_vfs_find("none such"));
    backup = sqlite3_backup_init(other, "main", db, "main");
    CHECK(backup && sqlite3_backup_step(backup, -1) == SQLITE_DONE && sqlite3_backup_finish(backup) == SQLITE_OK);
    sqlite3_close(db);
    db = other;
    show("PRAGMA journal_mode = wal");
    sqlite3_wal_hook(db, wal, &given);
    run("INSERT INTO t (name) VALUES ('in the log')");
    CHECK(sqlite3_wal_hook(db, NULL, NULL) == &given);

    CHECK(sqlite3_open(path, &other) == SQLITE_OK);
    CHECK(sqlite3_busy_handler(db, busy, &times) == SQLITE_OK);
    CHECK(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, &message) == SQLITE_OK && !message);
    run("DELETE FROM t");
    CHECK(sqlite3_txn_state(other, "main") == SQLITE_TXN_WRITE && sqlite3_txn_state(db, NULL) == SQLITE_TXN_NONE);
    CHECK(sqlite3_close(other) == SQLITE_OK);

    CHECK(sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_FULL, &log, &pages) == SQLITE_OK);
    CHECK(log > 0 && log == pages && sqlite3_wal_checkpoint(db, NULL) == SQLITE_OK);
    CHECK(sqlite3_db_readonly(db, "main") == 0 && sqlite3_db_readonly(db, "none such") == -1);
    CHECK(!strcmp(sqlite3_db_filename(db, "main"), path));
    CHECK(!strcmp(sqlite3_filename_wal(sqlite3_db_filename(db, NULL)) + strlen(path), "-wal"));
    CHECK(sqlite3_filename_journal(sqlite3_db_filename(db, NULL)) && sqlite3_filename_database(sqlite3_db_filename(db, NULL)));
    CHECK(sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED, &current, &highest, 0) == SQLITE_OK && current > 0);
    CHECK(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, -1, &value) == SQLITE_OK && value == 1);
    CHECK(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL) == SQLITE_OK);
    CHECK(sqlite3_db_config(db, 12345, 0, &(int){0}) == SQLITE_ERROR);
    CHECK(sqlite3_autovacuum_pages(db, vacuum, "the pages", forget) == SQLITE_OK);
    CHECK(sqlite3_autovacuum_pages(db, NULL, NULL, NULL) == SQLITE_OK);
    result = sqlite3_set_errmsg(db, SQLITE_CORRUPT, "so they say");
    printf("  %d %s\n", result, sqlite3_errmsg(db));
    sqlite3_close(db);

    snprintf(path, sizeof path, "file:%s/interfaces.db?mode=rw&cache=private&size=12&on=yes", folder);
    CHECK(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL) == SQLITE_OK);
    CHECK(!strcmp(sqlite3_uri_parameter(sqlite3_db_filename(db, "main"), "mode"), "rw"));
    CHECK(sqlite3_uri_int64(sqlite3_db_filename(db, "main"), "size", 1) == 12);
    CHECK(sqlite3_uri_boolean(sqlite3_db_filename(db, "main"), "on", 0) == 1);
    CHECK(!strcmp(sqlite3_uri_key(sqlite3_db_filename(db, "main"), 0), "mode"));
    CHECK(sqlite3_open_v2("/none/such", &other, SQLITE_OPEN_READWRITE, NULL) == SQLITE_CANTOPEN);
    printf("  %s\n", sqlite3_errmsg(other));
    sqlite3_close(other);
}

static void blobs(void)
{
    static char part[200];
    char const *type, *collation;
    int not_null, primary, automatic;
    sqlite3_blob *blob;
    sqlite3_int64 size;
    unsigned char *image;

    CHECK(sqlite3_blob_open(db, "main", "t", "data", 2, 1, &blob) == SQLITE_OK);
    CHECK(sqlite3_blob_bytes(blob) == 300 && sqlite3_blob_write(blob, "XYZ", 3, 100) == SQLITE_OK);
    CHECK(sqlite3_blob_read(blob, part, 10, 95) == SQLITE_OK && !memcmp(part, "bbbbbXYZbb", 11));
    CHECK(sqlite3_blob_read(blob, part, 10, 295) == SQLITE_ERROR && sqlite3_blob_close(blob) == SQLITE_OK);
    CHECK(sqlite3_blob_open(db, "main", "t", "none", 2, 1, &blob) == SQLITE_ERROR && !blob);

    CHECK(sqlite3_table_column_metadata(db, NULL, "t", "name", &type, &collation, &not_null, &primary, &automatic) == SQLITE_OK);
    printf("  %s %s %d %d %d\n", type, collation, not_null, primary, automatic);
    CHECK(sqlite3_table_column_metadata(db, "main", "t", NULL, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK);

    image = sqlite3_serialize(db, "main", &size, 0);
    CHECK(image && size > 1000 && sqlite3_msize(image) >= (sqlite3_uint64)size);
    image[18] = image[19] = 1; /* no write-ahead log in memory */
    sqlite3_close(db);
    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    CHECK(sqlite3_deserialize(db, "main", image, size, size, SQLITE_DESERIALIZE_FREEONCLOSE) == SQLITE_OK);
    show("SELECT count(*) AS count FROM t");
}

static int extension(sqlite3 *connection, char **message, const void *api)
{
    (void)api;
    if (!given)
        return sqlite3_create_function(connection, "added", 0, SQLITE_UTF8, NULL, longest_step, NULL, NULL);
    *message = sqlite3_malloc(20);
    strcpy(*message, "no extension");
    return SQLITE_ERROR;
}

static void others(void)
{
    sqlite3 *other;
    sqlite3_str *string = sqlite3_str_new(db);
    char *text, bytes[16] = {0};
    const char *name;
    int length, now, highest;
    sqlite3_int64 now_64, highest_64;
    void (*added)(void) = (void (*)(void))extension;

    CHECK(sqlite3_auto_extension(added) == SQLITE_OK && sqlite3_auto_extension(added) == SQLITE_OK);
    CHECK(sqlite3_open(":memory:", &other) == SQLITE_OK && sqlite3_close(other) == SQLITE_OK);
    given = 1;
    CHECK(sqlite3_open(":memory:", &other) == SQLITE_ERROR);
    printf("  %s\n", sqlite3_errmsg(other));
    sqlite3_close(other);
    CHECK(sqlite3_cancel_auto_extension(added) == 1 && sqlite3_cancel_auto_extension(added) == 0);

    sqlite3_str_appendall(string, "one and ");
    sqlite3_str_append(string, "two and three", 3);
    text = sqlite3_str_finish(string);
    CHECK(!strcmp(text, "one and two"));
    text = sqlite3_realloc(text, 100);
    text = sqlite3_realloc64(text, 1000);
    CHECK(!strcmp(text, "one and two"));
    sqlite3_free(text);
    sqlite3_randomness(sizeof bytes, bytes);
    CHECK(memcmp(bytes, (char[16]){0}, sizeof bytes));

    CHECK(sqlite3_keyword_check("select", 6) && !sqlite3_keyword_check("selected", 8));
    CHECK(sqlite3_keyword_name(0, &name, &length) == SQLITE_OK && length > 1);
    CHECK(sqlite3_compileoption_used("THREADSAFE=1") && !sqlite3_compileoption_used("NONE_SUCH"));
    CHECK(sqlite3_complete("SELECT 1;") && !sqlite3_complete("SELECT 1"));
    CHECK(sqlite3_strglob("a*c", "abc") == 0 && sqlite3_stricmp("ABC", "abc") == 0);
    CHECK(sqlite3_strlike("a_c", "abc", 0) == 0);
    CHECK(sqlite3_status(SQLITE_STATUS_MEMORY_USED, &now, &highest, 0) == SQLITE_OK && now <= highest);
    CHECK(sqlite3_status64(SQLITE_STATUS_MEMORY_USED, &now_64, &highest_64, 0) == SQLITE_OK && now_64 <= highest_64);
    CHECK(sqlite3_db_status64(db, SQLITE_DBSTATUS_CACHE_USED, &now_64, &highest_64, 0) == SQLITE_OK && now_64 > 0);
}

void use_sqlite3(const char *folder)
{
    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    printf("statements\n");
    statements();
    printf("functions\n");
    functions();
    printf("hooks\n");
    hooks();
    printf("files\n");
    files(folder);
    printf("blobs\n");
    blobs();
    printf("others\n");
    others();
    CHECK(sqlite3_close(db) == SQLITE_OK);
    printf("sqlite3: done\n");
    fflush(stdout);
}
