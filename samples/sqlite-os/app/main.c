/* A shop's books: SQLite on the library OS. Prints what it finds, and who has called whom. */

#include "sqlite_os.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int print_row(void *unused, int columns, char **values, char **names)
{
	(void)unused, (void)names;
	for (int column = 0; column < columns; column++)
		printf("%s%s", column ? " | " : "", values[column] ? values[column] : "NULL");
	printf("\n");
	return 0;
}

static void run(sqlite3 *database, const char *sql)
{
	char *message = NULL;
	if (sqlite3_exec(database, sql, print_row, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, message);
		exit(1);
	}
}

int main(void)
{
	sqlite3 *database;
	sqlite_os_start();
	if (sqlite3_open("books.db", &database) != SQLITE_OK) {
		fprintf(stderr, "books.db: %s\n", sqlite3_errmsg(database));
		return 1;
	}
	run(database, "CREATE TABLE sales (day INTEGER, item TEXT, cents INTEGER)");
	run(database, "CREATE INDEX of_item ON sales (item)");
	/* More than the page cache holds. */
	run(database, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39999)"
		      " INSERT INTO sales SELECT i / 100, 'item ' || (i * 7919 % 1000), i * 31 % 5000 FROM n");
	run(database, "SELECT count(*), sum(cents) FROM sales");
	run(database, "SELECT item, sum(cents) AS total FROM sales GROUP BY item ORDER BY total DESC, item LIMIT 3");
	/* A transaction that is given up: its journal is played back. */
	run(database, "BEGIN; DELETE FROM sales WHERE day < 200; SELECT count(*) FROM sales; ROLLBACK");
	run(database, "SELECT count(*) FROM sales");
	run(database, "DELETE FROM sales WHERE item < 'item 5'");
	run(database, "VACUUM");
	run(database, "SELECT count(*), sum(cents) FROM sales; PRAGMA integrity_check");
	sqlite3_close(database);
	sqlite_os_print_calls();
	/* How many there are depends on the partition. */
	if (getenv("FAULTS") != NULL)
		sqlite_os_print_faults();
	fflush(stdout);
	return 0;
}
