double _Complex z(_Complex float a, va_list list)
