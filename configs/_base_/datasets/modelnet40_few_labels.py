# ModelNet40 with labels for 128 training shapes; all others are clouds without a label, from which
# the student learns through distillation alone. It sees 128 points, the teacher sees num_points.
_base_ = './modelnet40.py'
labels = 128
student_points = 128
num_workers = 0
