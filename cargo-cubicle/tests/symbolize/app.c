/* The application, whose `is_admin` somebody wants to change. */
extern int (*const decode)(long *, long);

int is_admin;
char name[12];

void on_row(int number)
{
    name[0] = (char)number;
}

int main(void)
{
    return decode((long *)&is_admin, 1); /* the call */
}
