# The average of a student's past weights. Its momentum's schedule is in
# ../schedules/asymdsd_300e.py.
teacher = dict(type='EMATeacher')
