from pcdet_kd.cli.robustness_report import main

if __name__ == '__main__':
    raise SystemExit(main())
