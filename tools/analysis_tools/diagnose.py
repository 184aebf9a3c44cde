from pcdet_kd.cli.diagnose import main

if __name__ == '__main__':
    raise SystemExit(main())
