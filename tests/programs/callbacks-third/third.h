typedef int function(int);

int third_triple(int n);
function *third_function(void);
int third_calls(void);
int third_apply(function *call, int n);
void third_keep(function *call);
function *third_kept(void);

int lib_apply(function *call, int n);
int lib_pass_on(function *call, int n);
function *lib_fetch(void);
