from pcdet_kd.cli.run_table import main

if __name__ == '__main__':
    raise SystemExit(main())
