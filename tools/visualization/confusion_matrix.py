from pcdet_kd.cli.confusion_matrix import main

if __name__ == '__main__':
    raise SystemExit(main())
