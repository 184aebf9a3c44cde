_base_ = ['../_base_/students/pointnet2_msg.py', '../_base_/datasets/modelnet40.py', '../_base_/schedules/adam_200e_step.py',
          '../_base_/default_runtime.py']
work_dir = 'work_dirs/baseline/pointnet2_msg_modelnet40'

model = _base_.student
model.head.num_classes = _base_.num_classes
