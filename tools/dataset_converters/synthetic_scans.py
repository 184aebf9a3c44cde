from pcdet_kd.cli.synthetic_scans import main

if __name__ == '__main__':
    raise SystemExit(main())
