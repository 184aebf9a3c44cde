# The average of a student's past weights. The hook that moves it and its momentum's schedule are in
# ../schedules/asymdsd_300e.py.
teacher = dict(type='EMATeacher')
